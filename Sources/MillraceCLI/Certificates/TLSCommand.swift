import AgentCommands
import ArgumentParser
import Base
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

struct TLSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls", abstract: "Make certificates for a fleet.", subcommands: [Init.self])

    struct Init: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Make a CA, and a certificate for each host.",
            discussion: """
                Each host is given by its names and addresses, separated by commas: those under which it is connected to. The first names its files, NAME.pem
                and NAME.key. The same certificate serves for listening and for connecting. A CA that stands in the folder is used again; so is a certificate,
                but for --renew. Keep ca.key off the hosts. OpenSSL 3 (the command) does the work.

                EXAMPLES
                  millrace tls init --folder tls agg.example,10.0.0.5 web-1 web-2
                  millrace tls init --folder tls --renew agg.example,10.0.0.5
                """)

        @Argument(help: ArgumentHelp("The hosts.", valueName: "name,name")) var hosts: [String]
        @Option(help: ArgumentHelp("Where the files go.", valueName: "folder"), completion: .directory)
        var folder = "tls"
        @Option(help: "How long certificates are valid; the CA is for ten years.") var days = 365
        @Flag(help: "Make certificates anew that stand there.") var renew = false

        func validate() throws {
            guard (1...3650).contains(days) else {
                throw ValidationError("--days has to be from 1 to 3650, not \(days)")
            }
            guard !hosts.isEmpty else { throw ValidationError("name at least one host") }
        }

        func run() async throws {
            try await reporting {
                let hosts = try hosts.map { text in
                    guard let host = CertificatePlan.Host(text) else {
                        throw ValidationError(
                            "'\(text)' is no list of host names and addresses, such as agg.example,10.0.0.5")
                    }
                    return host
                }
                let files = PosixFileSystem()
                let folder = FilePath(folder)
                try files.createDirectory(folder)
                guard chdir(folder.string) == 0 else {
                    throw ConfigurationError("\(folder) can't be entered: errno \(errno)")
                }
                let plan = CertificatePlan(hosts: hosts, days: days, renews: renew) {
                    (try? files.exists(FilePath($0))) ?? false
                }
                // Whatever is made is its owner's alone, until it is known to be no key.
                umask(0o077)
                for step in plan.steps { try OpenSSL.run(step.arguments) }
                for file in plan.leftovers { try? files.unlink(FilePath(file)) }
                try publish(plan, in: folder, files)
            }
        }

        /// Certificates may be read by everyone. What was made anew takes the place of what stood there, the key first.
        private func publish(_ plan: CertificatePlan, in folder: FilePath, _ files: PosixFileSystem) throws {
            for made in plan.steps.flatMap(\.makes) {
                let name = made.hasSuffix(".new") ? String(made.dropLast(4)) : made
                let path = FilePath(made)
                if name.hasSuffix(".pem"), chmod(path.string, 0o644) != 0 {
                    throw ConfigurationError("\(path) can't be given its mode: errno \(errno)")
                }
                if name != made { try files.rename(path, to: FilePath(name)) }
                print("made \(folder.appending(name))")
            }
            try files.syncDirectory(".")
            if plan.steps.isEmpty { print("everything stands in \(folder) already; --renew makes certificates anew") }
        }
    }
}

/// Runs the `openssl` command in the current folder.
enum OpenSSL {
    static func run(_ arguments: [String]) throws {
        var words: [UnsafeMutablePointer<CChar>?] = (["openssl"] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        let log = FilePath("openssl.log")
        defer { unlink(log.string) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log.string, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var child: pid_t = 0
        let failure = posix_spawnp(&child, "openssl", &actions, nil, &words, environ)
        guard failure == 0 else {
            throw ConfigurationError(
                "openssl can't be started (\(String(cString: strerror(failure)))): install it (apt install openssl)")
        }
        var status: CInt = 0
        while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { break } }
        guard status == 0 else {
            let said = (try? PosixFileSystem().contents(of: log, bytesMax: .mib(1))) ?? []
            throw ConfigurationError("openssl \(arguments[0]) failed: \(String(decoding: said, as: UTF8.self))")
        }
    }
}
