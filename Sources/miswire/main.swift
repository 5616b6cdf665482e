import Commands

#if canImport(Glibc)
    import Glibc
#endif

exit(await Entrance.run(Array(CommandLine.arguments.dropFirst())))
