import Events
import Settings

/// `useragent: {field: http_user_agent}` adds `ua_family`, `ua_version`, `ua_os` and `ua_device` (desktop, mobile, tablet, bot, tool); null where nothing is known.
struct UserAgentStep: RowStep {
    static let name = "useragent"
    var field: String
    var prefix: String

    private static let parts = ["family", "version", "os", "device"]

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        var agent: UserAgent?
        if case .string(let text) = record.event[field] { agent = UserAgent(text) }
        let values = [agent?.family, agent?.version, agent?.system, agent?.device?.rawValue]
        for (part, value) in zip(Self.parts, values) {
            record.event[prefix + part] = value.map { .string($0) } ?? .null
        }
        return true
    }

    func fields(after fields: [FieldType]) -> [FieldType] {
        Self.parts.reduce(fields) { $0.setting(prefix + $1, to: .string) }
    }
}

extension UserAgentStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        field = try members.string("field", default: "http_user_agent")
        prefix = try members.string("prefix", default: "ua_")
        try members.finish()
    }
}
