import ArgumentParser
import KafkaConnection
import NIOCore
import ServiceLifecycle
import Telemetry

/// The admin endpoint as a service of the process; where its port is taken the process goes on without it and says so.
public struct AdminService: Service {
    let address: Address?
    let telemetry: Telemetry
    let health: Health
    let group: any EventLoopGroup

    /// `address` is what `--admin` says, else `standard`; "off" turns the endpoint off.
    public init(
        option: String?, standard: String, telemetry: Telemetry, health: Health, on group: any EventLoopGroup
    ) throws {
        let text = option ?? standard
        address = text == "off" ? nil : Address(text)
        guard address != nil || text == "off" else {
            throw ValidationError("'\(text)' is no address to serve metrics at, such as 127.0.0.1:8640")
        }
        self.telemetry = telemetry
        self.health = health
        self.group = group
    }

    public func run() async throws {
        guard let address else { return try await gracefulShutdown() }
        do {
            let endpoint = try await AdminEndpoint.start(
                host: address.host, port: address.port, metrics: telemetry.metrics, health: health, on: group)
            telemetry.emit(
                Note("metrics and health at http://\(endpoint.address.map(Self.text) ?? address.description)/metrics"))
            try? await gracefulShutdown()
            await endpoint.stop()
        } catch {
            telemetry.emit(Note("no admin endpoint at \(address): \(error); use --admin HOST:PORT", level: .warning))
            try? await gracefulShutdown()
        }
    }

    private static func text(_ address: SocketAddress) -> String {
        "\(address.ipAddress ?? "?"):\(address.port ?? 0)"
    }
}
