import Base
import Settings

/// The `stdin` source: lines from standard input, until it ends.
public struct StdinSettings: Sendable, Equatable {
    /// The second part of the records' key (`host/name`); names the spool.
    public var name = "stdin"
    public var topic: String
    /// The value of the header `format`; none where nil.
    public var format: String?
    /// Headers for every record, after `format`.
    public var labels: [(name: String, value: String)] = []
    /// Longer lines are cut, and counted.
    public var lineBytesMax = SealSettings.lineBytesMax
    public var relief: ReliefSettings?
    public var spool = SpoolSettings()

    public init(topic: String) { self.topic = topic }

    init(yaml node: YAMLNode) throws(SettingsError) {
        var section = try node.mapping()
        self.init(topic: try section.required("topic").string())
        name = try SpoolSettings.name(&section, default: name)
        format = try section.string("format")
        labels = try AgentSettings.labels(&section)
        lineBytesMax = try section.bytes("line_max", default: lineBytesMax, in: .kib(1)...SealSettings.lineBytesMax)
        relief = try ReliefSettings.read(&section)
        spool = try SpoolSettings(reading: &section)
        try section.finish()
    }

    public static func == (left: StdinSettings, right: StdinSettings) -> Bool {
        left.name == right.name && left.topic == right.topic && left.format == right.format
            && left.labels.elementsEqual(right.labels, by: ==) && left.lineBytesMax == right.lineBytesMax
            && left.relief == right.relief && left.spool == right.spool
    }
}

/// Lines as they came.
final class LineFormat: SpooledFormat {
    private let origin: LineOrigin

    init(settings: StdinSettings, host: String) {
        let format = settings.format.map { [(name: "format", value: $0)] } ?? []
        origin = LineOrigin(
            source: SourceKey("\(host)/\(settings.name)"), topic: settings.topic, headers: format + settings.labels,
            relief: settings.relief)
    }

    func append(_ frame: SpoolFormat.Frame, to value: inout [UInt8]) -> Bool {
        value += frame.message
        return true
    }

    func origin(of sender: UnsafeRawBufferPointer) -> LineOrigin { origin }
}
