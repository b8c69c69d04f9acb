public import KafkaConnection
public import Settings

extension ServerTLSSettings {
    /// Reads a listener's `tls:` mapping: `cert`, `key`, `client_ca`, `client_auth` (`required`, the default where there is a `client_ca`, or `requested`).
    public init(yaml node: YAMLNode) throws(SettingsError) {
        var mapping = try node.mapping()
        self.init(
            certificate: try mapping.required("cert").string(), key: try mapping.required("key").string(),
            clientCA: try mapping.string("client_ca"))
        let place = mapping.node("client_auth")?.place
        clientCertificates = try mapping.choice("client_auth", default: clientCertificates)
        try mapping.finish()
        if let place, clientCA == nil {
            throw SettingsError("client_auth needs client_ca: the CAs whose certificates clients may show", at: place)
        }
    }
}
