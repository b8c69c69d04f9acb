import Telemetry

/// Makes the inputs that settings name.
public enum AgentInputs {
    /// All files together are one input, and each journal is one.
    ///
    /// - Parameter spooled: what receives for `syslog` and `stdin` sources; it has begun when the inputs are made.
    public static func make(
        settings: AgentSettings, telemetry: Telemetry, spooled: SpooledSources? = nil
    ) -> Agent.MakeInputs {
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
            if let spooled {
                inputs += spooled.inputs(settings: settings, checkpoints: checkpoints, nextStreamID: nextStreamID)
            } else {
                precondition(settings.syslogs.isEmpty && settings.stdin == nil, "nobody receives for these sources")
            }
            return inputs
        }
    }
}
