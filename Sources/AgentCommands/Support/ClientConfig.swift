import ArgumentParser
import KafkaClient
import KafkaConnection
import SecuritySettings
import Settings

/// The file that says how commands connect to a cluster, so that no secret stands on a command line.
///
/// ```yaml
/// broker: agg.example:9093
/// tls: {ca: /etc/millrace/tls/ca.pem}
/// sasl: {user: alice, password: '${file:/home/alice/.millrace-password}'}
/// ```
public struct ClientConfig: Sendable {
    /// Brokers to begin with, as `--broker` names them; nil where the file names none.
    public var broker: String?
    public var security = ClientSecuritySettings()

    public init() {}

    public init(yaml node: YAMLNode) throws(SettingsError) {
        var file = try node.mapping()
        if let node = file.node("broker") {
            let list = try node.strings().joined(separator: ",")
            guard Address.list(list) != nil else { throw node.expected("host:port, or a list of such") }
            broker = list
        }
        security = try ClientSecuritySettings(reading: &file)
        try file.finish()
    }
}

/// Where the client's file is.
public struct ClientConfigOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with broker, tls and sasl, for clusters that want them; else MILLRACE_CLIENT_CONFIG names it.",
            valueName: "file"), completion: .file())
    public var clientConfig: String?

    public init() {}

    public var source: ClientConfigSource {
        ClientConfigSource(path: clientConfig ?? processEnvironment()["MILLRACE_CLIENT_CONFIG"])
    }
}

/// The client's file, if there is one; read anew each time.
public struct ClientConfigSource: Sendable {
    let path: String?

    public func load() throws(SettingsError) -> ClientConfig {
        guard let path else { return ClientConfig() }
        return try ClientConfig(yaml: try loadSettings(path))
    }

    /// A cluster as a configuration file names it; what that file leaves out is taken from the command line, and then from the client's file.
    ///
    /// - Parameters:
    ///   - file: the brokers that the configuration file names.
    ///   - option: those of the command line.
    public func settings(
        file: String?, option: String?, security: ClientSecuritySettings
    ) throws -> ClusterSettings {
        let config = try load()
        let bootstrap = file ?? option ?? config.broker ?? ClusterOptions.standard
        var settings = ClusterSettings(bootstrap: try ClusterOptions.addresses(bootstrap))
        try settings.connection.protect(security == ClientSecuritySettings() ? config.security : security)
        return settings
    }
}
