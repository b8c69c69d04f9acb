import AgentCommands
import ArgumentParser
import Base
import Console
import KafkaClient
import KafkaConnection
import NIOCore
import ServiceLifecycle
import SystemPackage
import Telemetry

/// Who may see the console.
struct ConsoleOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file that holds the console's token; else MILLRACE_CONSOLE_TOKEN. Wanted beyond the loopback.",
            valueName: "file"), completion: .file())
    var consoleTokenFile: String?

    /// The token without the blanks and newline around it; nil where none is set.
    func token() throws -> String? {
        let text: String
        if let consoleTokenFile {
            let file: any File
            do { file = try PosixFileSystem().open(FilePath(consoleTokenFile), .read) } catch {
                throw ValidationError("--console-token-file: \(error)")
            }
            defer { file.close() }
            let size = Int(min(try file.status().size, 4_096))
            var bytes = [UInt8](repeating: 0, count: size)
            let read = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
            text = String(decoding: bytes[..<read], as: UTF8.self)
        } else if let variable = processEnvironment()["MILLRACE_CONSOLE_TOKEN"] {
            text = variable
        } else {
            return nil
        }
        let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        let token = String(text.drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed())
        guard token.utf8.count >= ConsoleSettings.tokenBytesMin else {
            throw ValidationError(
                "the console's token has \(token.utf8.count) bytes; \(ConsoleSettings.tokenBytesMin) are wanted at least, such as from "
                    + "openssl rand -hex 16")
        }
        return token
    }
}

/// The console, metrics and health of a process, on one port. Where the port is taken the process goes on without and says so.
struct ConsoleService: Service {
    let settings: ConsoleSettings?
    let bootstrap: @Sendable () -> [Address]
    let connection: ConnectionSettings
    let telemetry: Telemetry
    let health: Health
    let group: any EventLoopGroup
    let announces: Bool

    /// - Parameters:
    ///   - option: what `--admin` says, else `standard`; "off" turns it off.
    ///   - bootstrap: asked once the service runs; empty as long as the broker is not up.
    ///   - connection: how the console connects to it.
    ///   - announces: prints the address for a person at the terminal.
    init(
        option: String?, standard: String, token: String?, bootstrap: @escaping @Sendable () -> [Address],
        connection: ConnectionSettings = ConnectionSettings(), telemetry: Telemetry, health: Health,
        on group: any EventLoopGroup, announces: Bool = false
    ) throws {
        let text = option ?? standard
        let address = text == "off" ? nil : Address(text)
        guard address != nil || text == "off" else {
            throw ValidationError("'\(text)' is no address to serve the console at, such as 127.0.0.1:8640")
        }
        settings = address.map { ConsoleSettings(listen: $0, token: token) }
        self.bootstrap = bootstrap
        self.connection = connection
        self.telemetry = telemetry
        self.health = health
        self.group = group
        self.announces = announces
    }

    func run() async throws {
        guard let settings else { return try await gracefulShutdown() }
        do {
            try await cancelWhenGracefulShutdown {
                var clusterSettings = ClusterSettings(bootstrap: try await addresses())
                clusterSettings.connection = connection
                let cluster = KafkaCluster(settings: Console.clusterSettings(clusterSettings), on: group)
                defer { cluster.shutDown() }
                let console = Console(
                    settings: settings, cluster: cluster, telemetry: telemetry, health: health, on: group)
                try await console.run { address in
                    let place =
                        "http://\(address?.ipAddress ?? settings.listen.host):\(address?.port ?? settings.listen.port)/"
                    if announces { printNow("console          \(place)") }
                    telemetry.emit(Note("console, metrics and health at \(place)"))
                }
            }
        } catch is CancellationError {
            // That is how it ends.
        } catch {
            telemetry.emit(Note("no console at \(settings.listen): \(error); use --admin HOST:PORT", level: .warning))
            try? await gracefulShutdown()
        }
    }

    /// Waits for the broker of this process.
    private func addresses() async throws -> [Address] {
        while true {
            let addresses = bootstrap()
            if !addresses.isEmpty { return addresses }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
