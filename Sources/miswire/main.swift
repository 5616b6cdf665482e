import Commands

#if canImport(Glibc)
    import Glibc
#endif

SafeBacktrace.prepare()
let arguments = Array(CommandLine.arguments.dropFirst())
EarlyCapture.prepare(arguments)
EarlyImport.prepare(arguments)
exit(await Entrance.run(arguments))
