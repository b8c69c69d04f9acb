public import KafkaConnection
public import Settings

extension ClientSaslSettings {
    /// Reads a `sasl:` mapping: `mechanism` (`SCRAM-SHA-512` by default), `user`, `password`. PLAIN is refused without TLS, where anyone on the way could read
    /// the password.
    public init(yaml node: YAMLNode, isEncrypted: Bool) throws(SettingsError) {
        var mapping = try node.mapping()
        let mechanism = try mapping.choice("mechanism", default: Mechanism.scramSHA512)
        self.init(
            mechanism: mechanism, user: try mapping.required("user").string(),
            password: try mapping.required("password").string())
        let allowsPlaintext = try mapping.bool("allow_plaintext", default: false)
        try mapping.finish()
        guard mechanism != .plain || isEncrypted || allowsPlaintext else {
            throw SettingsError(
                "PLAIN without tls sends the password for anyone to read: set tls, take a SCRAM mechanism, or set allow_plaintext: true",
                at: node.place)
        }
    }
}
