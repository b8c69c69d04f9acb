/// Who a connection belongs to, as Kafka writes it: `User:alice`.
struct Principal: Sendable, Hashable, CustomStringConvertible {
    static let type = "User"
    /// Who connects where nobody has to say who they are.
    static let anonymous = Principal(name: "ANONYMOUS")

    var name: String

    var description: String { "\(Self.type):\(name)" }
}
