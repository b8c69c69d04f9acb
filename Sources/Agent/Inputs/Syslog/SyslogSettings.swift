import Base
import KafkaConnection

/// One `syslog` source: where it listens, and what becomes of the messages.
public struct SyslogSettings: Sendable, Equatable {
    public enum Value: String, Sendable, CaseIterable {
        /// What the message says, as an object.
        case json
        /// The message's text alone: what a program handed to its logger.
        case message
        /// The message as it came.
        case raw
    }

    /// Tells several sources apart, names the spool, and is the second part of the records' keys.
    public var name = "syslog"
    public var udp: [Address] = []
    public var tcp: [Address] = []
    /// Paths of datagram sockets, as `/dev/log` is one.
    public var unix: [String] = []
    public var topic = "syslog"
    public var value = Value.json
    /// The value of the header `format`.
    public var format = "syslog"
    /// Headers for every record, after `format`.
    public var labels: [(name: String, value: String)] = []
    /// Longer messages are cut, and counted.
    public var messageBytesMax = ByteCount.kib(64)
    /// TCP connections at a time; more are closed at once, and counted. Each may hold a message that is not whole yet.
    public var connectionsMax = 128
    /// Senders whose messages carry a key of their own (`host/name/address`); those of others carry `host/name`.
    public var sendersMax = 64
    public var relief: ReliefSettings?
    public var spool = SpoolSettings()

    public init() {}

    public static let standardPort = 514

    var headers: [(name: String, value: String)] { [("format", format)] + labels }

    /// For an operator.
    var place: String {
        (udp.map { "udp://\($0)" } + tcp.map { "tcp://\($0)" } + unix.map { "unix:\($0)" }).joined(separator: ", ")
    }

    public static func == (left: SyslogSettings, right: SyslogSettings) -> Bool {
        left.listensAs(right) && left.topic == right.topic && left.value == right.value && left.format == right.format
            && left.labels.elementsEqual(right.labels, by: ==) && left.sendersMax == right.sendersMax
            && left.relief == right.relief
    }

    /// Whether what receives messages need not change.
    func listensAs(_ other: SyslogSettings) -> Bool {
        name == other.name && udp == other.udp && tcp == other.tcp && unix == other.unix
            && messageBytesMax == other.messageBytesMax && connectionsMax == other.connectionsMax
            && spool == other.spool
    }
}
