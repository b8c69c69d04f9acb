import ArgumentParser
import KafkaClient
import KafkaConnection
import NIOCore
import NIOPosix

/// Which Kafka cluster is meant.
public struct ClusterOptions: ParsableArguments {
    @Option(
        name: [.customLong("bootstrap-server"), .customLong("broker")],
        help: ArgumentHelp(
            "Brokers to begin with, separated by commas (default: those of --client-config, else \(ClusterOptions.standard)).",
            valueName: "host:port"))
    public var bootstrap: String?

    @OptionGroup public var config: ClientConfigOptions

    static let standard = "127.0.0.1:9092"

    public init() {}

    public func settings() throws -> ClusterSettings {
        try config.source.settings(file: nil, option: bootstrap, security: ClientSecuritySettings())
    }

    public static func addresses(_ list: String) throws -> [Address] {
        guard let addresses = Address.list(list) else {
            throw ValidationError("'\(list)' is no list of brokers, such as 127.0.0.1:9092,agg.example:9092")
        }
        return addresses
    }

    /// How long a command looks for a broker before it says that there is none; once it found one, it is as patient as the client is.
    private static let lookupMax = Duration.seconds(5)

    /// Runs the body with a cluster that is closed afterwards. Throws `.noBroker` where nobody answers.
    public func withCluster<Result: Sendable>(_ body: (KafkaCluster) async throws -> Result) async throws -> Result {
        let cluster = KafkaCluster(
            settings: try settings(), on: MultiThreadedEventLoopGroup.singleton)
        defer { cluster.shutDown() }
        try await cluster.retrying(timeout: Self.lookupMax) { () async throws(ClientError) in
            _ = try await cluster.refresh([])
        }
        return try await body(cluster)
    }
}
