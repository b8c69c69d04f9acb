public import KafkaConnection
public import Settings

extension ClientTLSSettings {
    /// Reads a `tls:` mapping: `ca`, `cert` with `key`, `server_name`, `verify_hostname`. An empty one (`tls: {}`) trusts the system's CAs.
    public init(yaml node: YAMLNode) throws(SettingsError) {
        var mapping = try node.mapping()
        self.init(ca: try mapping.string("ca"))
        certificate = try mapping.string("cert")
        key = try mapping.string("key")
        serverName = try mapping.string("server_name")
        verifiesHostname = try mapping.bool("verify_hostname", default: verifiesHostname)
        try mapping.finish()
        guard (certificate == nil) == (key == nil) else {
            throw SettingsError("tls: cert and key go together", at: node.place)
        }
    }
}

extension ClientSecuritySettings {
    /// Reads the keys that stand beside `broker` in every file of a client: `tls`, `sasl`. Where they are missing, connections are in plaintext, and nobody
    /// is asked who it is.
    public init(reading mapping: inout SettingsMapping) throws(SettingsError) {
        self.init()
        if let node = mapping.nodeOrNull("tls") { tls = try ClientTLSSettings(yaml: node) }
        if let node = mapping.node("sasl") { sasl = try ClientSaslSettings(yaml: node, isEncrypted: tls != nil) }
    }
}
