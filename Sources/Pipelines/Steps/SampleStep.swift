import Events
import Settings

/// `sample: 0.1` keeps a tenth of the records, `sample: {share: 0.1, by: session}` all records of a tenth of the sessions.
///
/// Always the same ones: it decides by the record's place in its topic, or by the value of the fields, not by a die.
struct SampleStep: RowStep {
    static let name = "sample"
    var share: Double
    /// Empty: by the record's place.
    var by: [String]

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        let hash = by.isEmpty ? input.recordHash : StableHash.of(record.event, by: by)
        return share >= 1 || hash <= UInt64(share * 0x1p64)
    }
}

extension SampleStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        if case .scalar = node.value {
            share = try Self.share(node)
            by = []
            return
        }
        var members = try node.mapping()
        share = try Self.share(try members.required("share"))
        by = try members.node("by")?.fieldNames() ?? []
        try members.finish()
    }

    private static func share(_ node: YAMLNode) throws(SettingsError) -> Double {
        let share = try node.double()
        guard share > 0, share <= 1 else { throw node.expected("a share above 0 and up to 1") }
        return share
    }
}

/// A hash of values that is the same in every process and version.
enum StableHash {
    /// FNV-1a over the values as JSON, mixed by SplitMix64's finaliser.
    static func of(_ event: Event, by names: [String]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for name in names {
            for byte in event[name].json.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0x1e) &* 0x100_0000_01b3
        }
        return mixed(hash)
    }

    static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return mixed(hash)
    }

    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
