import Commands

#if canImport(Glibc)
    import Glibc
#endif

let arguments = Array(CommandLine.arguments.dropFirst())
EarlyCapture.prepare(arguments)
exit(await Entrance.run(arguments))
