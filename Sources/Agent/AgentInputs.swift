import Telemetry

/// Makes the inputs that settings name.
public enum AgentInputs {
    /// All files together are one input, and each journal is one.
    public static func make(settings: AgentSettings, telemetry: Telemetry) -> Agent.MakeInputs {
        { checkpoints, nextStreamID in
            var inputs: [any Input] = []
            if !settings.files.isEmpty {
                let patterns = settings.files.flatMap(\.paths).joined(separator: ", ")
                telemetry.emit(Note("reading files: \(patterns)"))
                inputs.append(
                    try FileTailer(
                        sources: settings.files, settings: settings.tailer, checkpoints: checkpoints,
                        nextStreamID: nextStreamID))
            }
            for journal in settings.journals {
                telemetry.emit(Note("reading the \(journal.place)"))
                inputs.append(
                    JournalInput(
                        settings: journal, host: settings.host, checkpoints: checkpoints, nextStreamID: nextStreamID))
            }
            return inputs
        }
    }
}
