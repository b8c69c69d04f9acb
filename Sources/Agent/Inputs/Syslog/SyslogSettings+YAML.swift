import Base
import KafkaConnection
import Settings

extension SyslogSettings {
    /// Reads what stands under `syslog`.
    init(yaml node: YAMLNode) throws(SettingsError) {
        self.init()
        var section = try node.mapping()
        let (udp, tcp) = (section.node("udp"), section.node("tcp"))
        if let udp { self.udp = try Self.addresses(udp) }
        if let tcp { self.tcp = try Self.addresses(tcp) }
        if let unix = section.node("unix") {
            self.unix = try unix.strings()
            guard self.unix.allSatisfy({ $0.hasPrefix("/") && $0.utf8.count <= 107 }) else {
                throw SettingsError("expected an absolute path of at most 107 bytes", at: unix.place)
            }
        }
        guard !self.udp.isEmpty || !self.tcp.isEmpty || !self.unix.isEmpty else {
            throw SettingsError("expected where to listen: udp, tcp or unix", at: node.place)
        }
        name = try SpoolSettings.name(&section, default: name)
        topic = try section.string("topic", default: topic)
        value = try section.choice("value", default: value)
        format = try section.string("format", default: format)
        labels = try AgentSettings.labels(&section)
        messageBytesMax = try section.bytes("message_max", default: messageBytesMax, in: .kib(1)...(.kib(128)))
        connectionsMax = try section.int("connections", default: connectionsMax, in: 1...10_000)
        sendersMax = try section.int("senders", default: sendersMax, in: 0...10_000)
        let allowsPlaintext = try section.bool("allow_plaintext", default: false)
        if !allowsPlaintext, let open = (self.udp + self.tcp).first(where: { !Self.isLoopback($0.host) }) {
            throw SettingsError(
                "syslog at \(open) is neither encrypted nor authenticated, and other machines reach it: say allow_plaintext: true where that "
                    + "is meant", at: node.place)
        }
        relief = try ReliefSettings.read(&section)
        spool = try SpoolSettings(reading: &section)
        try section.finish()
    }

    /// `host:port`, or a host alone for port 514.
    private static func addresses(_ node: YAMLNode) throws(SettingsError) -> [Address] {
        var addresses: [Address] = []
        for text in try node.strings() {
            let hasPort = text.hasPrefix("[") ? !text.hasSuffix("]") : text.contains(":")
            guard var address = Address(text), isAddress(address.host) else {
                throw SettingsError(
                    "expected an address of this machine and a port, such as 127.0.0.1:5514, found '\(text)'",
                    at: node.place)
            }
            if !hasPort { address.port = standardPort }
            addresses.append(address)
        }
        return addresses
    }

    private static func isAddress(_ host: String) -> Bool {
        host == "localhost" || host.contains(":") || host.split(separator: ".").count == 4
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}

extension SpoolSettings {
    /// Reads `spool: {size: …, sync: …}`.
    init(reading section: inout SettingsMapping) throws(SettingsError) {
        self.init()
        var spool = try section.section("spool")
        capacity = try spool.bytes("size", default: capacity, in: .mib(16)...(.gib(1024)))
        syncInterval = try spool.duration(
            "sync", default: syncInterval, in: .milliseconds(10)...(.seconds(3600)))
        try spool.finish()
    }

    /// A name that a folder may have.
    static func name(_ section: inout SettingsMapping, default value: String) throws(SettingsError) -> String {
        guard let node = section.node("name") else { return value }
        let name = try node.string()
        let isFine = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
        }
        guard isFine, (1...64).contains(name.utf8.count) else {
            throw SettingsError("expected a name of a-z, 0-9 and -, found '\(name)'", at: node.place)
        }
        return name
    }
}
