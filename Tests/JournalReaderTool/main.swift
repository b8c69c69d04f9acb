import Agent

#if canImport(Glibc)
    import Glibc
#endif

exit(JournalReader.run(arguments: Array(CommandLine.arguments.dropFirst())))
