/// A YAML document as a tree in which every node knows its place, so that an error can point at it.
public struct YAMLNode: Sendable {
    public enum Value: Sendable {
        /// `isPlain` is false for a quoted scalar, which is always text: never null, a number or a boolean.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    public struct Entry: Sendable {
        public var key: String
        public var place: Place
        public var value: YAMLNode
    }

    public var value: Value
    public var place: Place
    /// The scalar as the file has it, where `${env:…}` or `${file:…}` was filled in: the value may be a secret.
    public internal(set) var reference: String?
    /// Who watches the decoder; nil where nobody does.
    var trace: SettingsTrace?

    public init(_ value: Value, at place: Place) {
        self.value = value
        self.place = place
    }

    /// `key:` without a value, `~` or `null`.
    public var isNull: Bool {
        if case .scalar(let text, isPlain: true) = value { return ["", "~", "null", "Null", "NULL"].contains(text) }
        return false
    }

    /// What stands here, in words, for messages.
    var kind: String {
        switch value {
        case .scalar(let text, _): isNull ? "nothing" : "'\(text.prefix(60))'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}
