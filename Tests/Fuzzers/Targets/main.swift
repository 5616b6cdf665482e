import CLibFuzzer
import Glibc

//   fuzz-targets --list          names of all targets, one a line
//   fuzz-targets --sort FILE…    which target each file is a seed for: TARGET, tab, FILE
//   MISWIRE_FUZZ_TARGET=TARGET fuzz-targets [OPTIONS…]    libFuzzer on it, with libFuzzer's own options
let words = CommandLine.arguments.dropFirst()
switch words.first {
case "--list": for target in FuzzTarget.all { print(target.name) }
case "--sort":
    for path in words.dropFirst() {
        if let name = FuzzTarget.name(forSeed: path) { print("\(name)\t\(path)") }
    }
default:
    guard FuzzTarget.chosen != nil else {
        print("name in MISWIRE_FUZZ_TARGET one of these: \(FuzzTarget.all.map { $0.name }.joined(separator: " "))")
        exit(4)
    }
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
    let code = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
        FuzzTarget.chosen?.run(unsafe Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
    }
    exit(code)
}
