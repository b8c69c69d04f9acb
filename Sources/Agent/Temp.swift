// To the journal engineer: delete this file when AgentSettings+Sources.swift, AgentInputs and JournalReaderCommand land.
import Base
import Settings
import Telemetry
public struct JournalInputSettings: Sendable { public init(directory: String?) {} }
extension AgentSettings {
    public var journals: [JournalInputSettings] { get { [] } set {} }
    public init(yaml node: YAMLNode, host: String) throws(SettingsError) {
        var root = try node.mapping()
        self = try AgentSettings(reading: &root, host: host) { (sources, settings) throws(SettingsError) in
            for source in try sources.sequence() {
                var m = try source.mapping()
                if var f = try m.mapping("file") {
                    settings.files.append(FileInputSettings(paths: try f.strings("path") ?? [], topic: try f.string("topic", default: "logs"), format: try f.string("format")))
                }
                _ = m.node("journal")
            }
        }
    }
}
public enum AgentInputs {
    public static func make(settings: AgentSettings, telemetry: Telemetry) -> Agent.MakeInputs {
        { checkpoints, next in
            [try FileTailer(sources: settings.files, settings: settings.tailer, checkpoints: checkpoints, nextStreamID: next)]
        }
    }
}
