import Base
import KafkaConnection
import Sasl
import Synchronization

/// The users that may log in, each with what is kept of their passwords. They live in the metadata, so that a change is durable before it is answered.
final class ScramUsers: Sendable {
    private let store: any MetadataStore
    private let users: Mutex<[String: [ScramMechanism: ScramCredential]]>
    /// Of this process: salts for users that don't exist.
    private let secret: [UInt8]
    let countMax: Int

    init(store: any MetadataStore, metadata: ClusterMetadata, countMax: Int) {
        self.store = store
        self.countMax = countMax
        users = Mutex(metadata.users)
        var random = SystemRandomNumberGenerator()
        secret = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    var all: [String: [ScramMechanism: ScramCredential]] { users.withLock { $0 } }

    func credential(of user: String, _ mechanism: ScramMechanism) -> ScramCredential? {
        users.withLock { $0[user]?[mechanism] }
    }

    func scramServer(_ mechanism: ScramMechanism) -> ScramServer {
        ScramServer(mechanism, secret: secret) { [self] in credential(of: $0, mechanism) }
    }

    /// Whether it is the user's password, by the strongest hash that is kept of it. Blocks for some milliseconds, for users that don't exist too.
    func isPassword(_ password: String, of user: String) -> Bool {
        let kept = users.withLock { $0[user] }
        guard let credential = kept?[.sha512] ?? kept?[.sha256] else {
            _ = ScramCredential(
                mechanism: .sha512, password: password, salt: secret,
                iterations: ScramCredential.iterationsServed.lowerBound)
            return false
        }
        return credential.matches(password: password)
    }

    /// Durable when it returns.
    func apply(_ changes: [ScramChange]) async throws(MetadataStoreError) {
        let metadata = try await store.apply(.scramCredentialsChanged(changes))
        users.withLock { $0 = metadata.users }
    }
}

/// One credential that comes, or goes.
public enum ScramChange: Sendable, Equatable {
    case set(user: String, ScramCredential)
    case remove(user: String, ScramMechanism)
}
