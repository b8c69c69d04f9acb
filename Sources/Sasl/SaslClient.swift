public import KafkaConnection

/// Says who a client is, as its settings do.
public struct SaslClient: ClientAuthentication {
    private let settings: ClientSaslSettings

    public init(_ settings: ClientSaslSettings) { self.settings = settings }

    public var mechanism: String { settings.mechanism.rawValue }

    public func begin() -> any ClientExchange {
        switch settings.mechanism {
        case .plain: PlainClient(user: settings.user, password: settings.password)
        case .scramSHA256: ScramClient(.sha256, user: settings.user, password: settings.password)
        case .scramSHA512: ScramClient(.sha512, user: settings.user, password: settings.password)
        }
    }
}
