import AgentCommands
import ArgumentParser
import Base
import Events
import KafkaClient
import KafkaConnection
import Sasl
import SystemPackage

#if canImport(Glibc)
    import Glibc
#endif

struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users",
        abstract: "List, add and remove the users that log in by SASL.",
        discussion: """
            Works with any Kafka from 2.7 on. The cluster keeps a salted hash of each password; the password itself is never sent.

            EXAMPLES
              millrace users
              millrace users set alice < /run/secrets/alice
              millrace users set alice --mechanism SCRAM-SHA-256 --password-file alice.password
              millrace users delete alice
            """,
        subcommands: [List.self, SetPassword.self, Delete.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List users.")

        @Option(help: "table or json.") var output = OutputFormat.table
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                let users = try await cluster.withCluster { try await Admin($0).listUsers() }
                var table = Table(["user", "mechanism", "iterations"])
                for user in users {
                    for credential in user.credentials {
                        table.add([
                            .string(user.name), .string(credential.mechanism.name), .int(Int64(credential.iterations)),
                        ])
                    }
                }
                table.print(as: output)
            }
        }
    }

    struct SetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Add a user, or give one another password.",
            discussion: """
                The password is the first line of standard input, or of --password-file; at a terminal it is asked for, unseen. Connections that are open go on.
                """)

        @Argument(help: "The user.") var user: String
        @Option(
            help: ArgumentHelp(
                "SCRAM-SHA-512 or SCRAM-SHA-256: one for each hash that clients speak.", valueName: "mechanism"))
        var mechanism = ScramMechanism.sha512
        @Option(help: "How often the password is hashed: 4096 to 16384.") var iterations = 8192
        @Option(help: ArgumentHelp("A file that holds the password.", valueName: "file"), completion: .file())
        var passwordFile: String?
        @OptionGroup var cluster: ClusterOptions

        func validate() throws {
            guard ScramCredential.iterationsServed.contains(iterations) else {
                throw ValidationError("--iterations has to be from 4096 to 16384, not \(iterations)")
            }
        }

        func run() async throws {
            try await reporting {
                let password = try self.password()
                var random = SystemRandomNumberGenerator()
                let salt = (0..<24).map { _ in UInt8.random(in: 0...255, using: &random) }
                let credential = NewScramCredential(
                    user: user, mechanism: mechanism, iterations: iterations, salt: salt,
                    saltedPassword: ScramKeys.saltedPassword(
                        mechanism, password: Array(password.utf8), salt: salt, iterations: iterations))
                try await cluster.withCluster { try await Admin($0).setCredential(credential) }
                print("\(user) may log in by \(mechanism.name)")
            }
        }

        private func password() throws -> String {
            let line: String?
            if let passwordFile {
                guard let bytes = try PosixFileSystem().contents(of: FilePath(passwordFile), bytesMax: .kib(4)) else {
                    throw ValidationError("there is no file \(passwordFile)")
                }
                let text = String(decoding: bytes, as: UTF8.self)
                line = text.split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init)
            } else if isatty(0) == 1 {
                line = getpass("password for \(user): ").map { String(cString: $0) }
            } else {
                line = readLine()
            }
            guard let line, !line.isEmpty else { throw ValidationError("a password has at least one character") }
            return line
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Remove users: they can't log in any more. Connections that are open go on.")

        @Argument(help: "The users.") var users: [String]
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await reporting {
                try await cluster.withCluster { cluster in
                    let admin = Admin(cluster)
                    let known = try await admin.listUsers()
                    var removed: [(user: String, mechanism: ScramMechanism)] = []
                    for name in users {
                        guard let user = known.first(where: { $0.name == name }) else {
                            throw ClientError(.brokerError, "there is no user \(name)", kafkaError: .resourceNotFound)
                        }
                        removed += user.credentials.map { (name, $0.mechanism) }
                    }
                    try await admin.removeCredentials(removed)
                }
            }
        }
    }
}

extension ScramMechanism: ExpressibleByArgument {
    public init?(argument: String) {
        guard let mechanism = Self.allCases.first(where: { $0.name == argument.uppercased() }) else { return nil }
        self = mechanism
    }

    public var defaultValueDescription: String { name }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}
