import Settings

/// What is left out of a source, and what is made unreadable in it.
public struct ReliefSettings: Sendable, Equatable {
    struct Redaction: Sendable, Equatable {
        /// What to find, anywhere in a record.
        var pattern: LinePattern
        var replacement: String
    }

    /// Records that match one of these are left out.
    var drop: [LinePattern] = []
    /// Which part of the rest is kept: 0.1 keeps about one of ten.
    var sample = 1.0
    /// How many records a second are kept, in bursts of as many; nil is all.
    var rate: Int?
    var redactions: [Redaction] = []

    static let replacementBytesMax = 64

    /// Reads `relief: {drop: …, sample: …, rate: …, redact: […]}`; nil where there is none.
    static func read(_ section: inout SettingsMapping) throws(SettingsError) -> ReliefSettings? {
        guard var relief = try section.mapping("relief") else { return nil }
        var settings = ReliefSettings()
        if let drop = relief.node("drop") {
            for text in try drop.strings() { settings.drop.append(try pattern(text, drop)) }
        }
        if let sample = relief.node("sample") {
            settings.sample = try sample.double()
            guard (0...1).contains(settings.sample) else {
                throw SettingsError("expected a part from 0 to 1", at: sample.place)
            }
        }
        if let rate = relief.node("rate") { settings.rate = try rate.int(in: 1...1_000_000_000) }
        if let redact = relief.node("redact") {
            for node in try redact.sequence() {
                var entry = try node.mapping()
                let text = try entry.required("pattern").string()
                let replacement = try entry.string("with", default: "***")
                try entry.finish()
                guard replacement.utf8.count <= replacementBytesMax, !replacement.utf8.contains(0x0A) else {
                    throw SettingsError("expected at most 64 bytes without a newline under 'with'", at: node.place)
                }
                settings.redactions.append(
                    Redaction(pattern: try pattern(text, node, locates: true), replacement: replacement))
            }
        }
        try relief.finish()
        return settings
    }

    private static func pattern(
        _ text: String, _ node: YAMLNode, locates: Bool = false
    ) throws(SettingsError) -> LinePattern {
        do throws(InputSettingsError) { return try LinePattern(text, locates: locates) } catch {
            throw SettingsError(error.message, at: node.place)
        }
    }
}
