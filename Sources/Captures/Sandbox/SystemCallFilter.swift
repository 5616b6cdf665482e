import CPcap
import Glibc

/// Which system calls a process of ours may still make, as a program of classic BPF for seccomp.
///
/// It lists what is refused: a list of what is allowed would break an import on the day on which libc, libdispatch or the
/// Swift runtime learn a new call. Files are Landlock's; here is all that Landlock does not see.
struct SystemCallFilter: Equatable {
    struct Instruction: Equatable {
        var code: UInt16
        var yes: UInt8 = 0
        var no: UInt8 = 0
        var value: UInt32
    }

    /// What becomes of a call.
    enum Verdict: Equatable {
        case allow
        case refuse(Int32)
        case kill

        var value: UInt32 {
            switch self {
            case .allow: 0x7fff_0000
            case .refuse(let code): 0x0005_0000 | UInt32(bitPattern: code) & 0xffff
            case .kill: 0x8000_0000
            }
        }
    }

    let instructions: [Instruction]

    /// `AUDIT_ARCH_…` of the calls that we make; nil: this processor's are not known here.
    static var architecture: UInt32? {
        #if arch(x86_64)
            0xc000_003e
        #elseif arch(arm64)
            0xc000_00b7
        #else
            nil
        #endif
    }

    /// Where the kernel puts things that it shows to a filter.
    private static let numberOffset: UInt32 = 0
    private static let architectureOffset: UInt32 = 4
    /// The low half of an argument, on processors that put it first, as both of ours do.
    private static func offset(argument: Int) -> UInt32 { 16 + 8 * UInt32(argument) }

    /// - Parameter own: the number of the process: signals and limits are for itself only.
    init(own: UInt32) {
        var program: [Instruction] = []
        if let architecture = Self.architecture {
            program += [Self.load(Self.architectureOffset), Self.equals(architecture, yes: 1, no: 0), Self.answer(.kill)]
        }
        program.append(Self.load(Self.numberOffset))
        #if arch(x86_64)
            // The same calls under other numbers (x32).
            program += [Instruction(code: 0x35, yes: 0, no: 1, value: 0x4000_0000), Self.answer(.kill)]
        #endif
        for number in DeniedCalls.always { program += Self.when(number, [Self.answer(.refuse(EPERM))]) }
        // Its flags lie in memory, which no filter sees. Without it libc takes `clone`, whose flags are seen.
        program += Self.when(DeniedCalls.clone3, [Self.answer(.refuse(ENOSYS))])
        program += Self.when(
            SYS_clone,
            [Self.load(Self.offset(argument: 0)), Self.hasAny(DeniedCalls.namespaces, yes: 1, no: 0)]
                // A thread, and nothing but a thread.
                + [Self.hasAny(DeniedCalls.thread, yes: 1, no: 0), Self.answer(.refuse(EPERM)), Self.answer(.allow)])
        for number in DeniedCalls.toOthers { program += Self.when(number, Self.only([own], argument: 0)) }
        program += Self.when(SYS_prlimit64, Self.only([0, own], argument: 0))
        for (number, argument, values) in DeniedCalls.byArgument { program += Self.when(number, Self.none(of: values, argument: argument)) }
        program.append(Self.answer(.allow))
        instructions = program
    }

    // MARK: Pieces; each of them ends with an answer

    private static func load(_ offset: UInt32) -> Instruction { Instruction(code: 0x20, value: offset) }
    private static func answer(_ verdict: Verdict) -> Instruction { Instruction(code: 0x06, value: verdict.value) }
    private static func equals(_ value: UInt32, yes: UInt8, no: UInt8) -> Instruction {
        Instruction(code: 0x15, yes: yes, no: no, value: value)
    }
    private static func hasAny(_ bits: UInt32, yes: UInt8, no: UInt8) -> Instruction {
        Instruction(code: 0x45, yes: yes, no: no, value: bits)
    }

    /// These instructions for one call; others go on behind them, with the call's number still loaded.
    private static func when(_ number: Int32, _ body: [Instruction]) -> [Instruction] {
        [equals(UInt32(bitPattern: number), yes: 0, no: UInt8(clamping: body.count))] + body
    }

    private static func only(_ values: [UInt32], argument: Int) -> [Instruction] {
        [load(offset(argument: argument))] + choice(values, yes: .allow, no: .refuse(EPERM))
    }

    private static func none(of values: [UInt32], argument: Int) -> [Instruction] {
        [load(offset(argument: argument))] + choice(values, yes: .refuse(EPERM), no: .allow)
    }

    private static func choice(_ values: [UInt32], yes: Verdict, no: Verdict) -> [Instruction] {
        values.enumerated().map { index, value in equals(value, yes: UInt8(clamping: values.count - index), no: 0) }
            + [answer(no), answer(yes)]
    }
}
