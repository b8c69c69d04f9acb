import Base
public import KafkaConnection
import KafkaWire
import NIOCore

/// A user that may log in, as a cluster tells of it.
public struct ScramUser: Sendable, Equatable {
    public struct Credential: Sendable, Equatable {
        public var mechanism: ScramMechanism
        public var iterations: Int
    }

    public var name: String
    public var credentials: [Credential]
}

/// A password that is to be kept, salted: the password itself stays with whoever typed it.
public struct NewScramCredential: Sendable {
    public var user: String
    public var mechanism: ScramMechanism
    public var iterations: Int
    public var salt: [UInt8]
    public var saltedPassword: [UInt8]

    public init(user: String, mechanism: ScramMechanism, iterations: Int, salt: [UInt8], saltedPassword: [UInt8]) {
        self.user = user
        self.mechanism = mechanism
        self.iterations = iterations
        self.salt = salt
        self.saltedPassword = saltedPassword
    }
}

/// Users that log in by SCRAM (KIP-554).
extension Admin {
    /// All of them, by name.
    public func listUsers() async throws(ClientError) -> [ScramUser] {
        let response = try await cluster.send(DescribeUserScramCredentialsRequest(), to: .controller)
        if let error = ClientError(response.errorCode, "the list of users", detail: response.errorMessage) {
            throw error
        }
        var users: [ScramUser] = []
        for result in response.results {
            if let error = ClientError(result.errorCode, "user \(result.user)", detail: result.errorMessage) {
                throw error
            }
            let credentials = result.credentialInfos.compactMap { info in
                ScramMechanism(rawValue: info.mechanism).map {
                    ScramUser.Credential(mechanism: $0, iterations: Int(info.iterations))
                }
            }
            users.append(ScramUser(name: result.user, credentials: credentials))
        }
        return users.sorted { $0.name < $1.name }
    }

    public func setCredential(_ credential: NewScramCredential) async throws(ClientError) {
        var request = AlterUserScramCredentialsRequest()
        var upsertion = AlterUserScramCredentialsRequest.ScramCredentialUpsertion()
        upsertion.name = credential.user
        upsertion.mechanism = credential.mechanism.rawValue
        upsertion.iterations = Int32(credential.iterations)
        upsertion.salt = ByteBuffer(bytes: credential.salt)
        upsertion.saltedPassword = ByteBuffer(bytes: credential.saltedPassword)
        request.upsertions = [upsertion]
        try await alter(request)
    }

    public func removeCredentials(_ credentials: [(user: String, mechanism: ScramMechanism)]) async throws(ClientError)
    {
        var request = AlterUserScramCredentialsRequest()
        request.deletions = credentials.map {
            var deletion = AlterUserScramCredentialsRequest.ScramCredentialDeletion()
            deletion.name = $0.user
            deletion.mechanism = $0.mechanism.rawValue
            return deletion
        }
        try await alter(request)
    }

    private func alter(_ request: AlterUserScramCredentialsRequest) async throws(ClientError) {
        let response = try await cluster.send(request, to: .controller)
        for result in response.results {
            if let error = ClientError(result.errorCode, "user \(result.user)", detail: result.errorMessage) {
                throw error
            }
        }
    }
}
