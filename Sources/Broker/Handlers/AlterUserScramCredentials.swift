import KafkaConnection
import KafkaWire
import NIOCore
import Sasl

/// AlterUserScramCredentials (51), version 0: users, and what is kept of their passwords, come and go; a password itself never arrives (KIP-554).
///
/// - Each user's changes are made together or not at all, and are durable before they are answered.
/// - A mechanism that is none: UNSUPPORTED_SASL_MECHANISM. An empty name, iterations out of 4096–16384, a salt or a salted password of a wrong length:
///   UNACCEPTABLE_CREDENTIAL. One credential changed twice: DUPLICATE_RESOURCE. Deletion of one that is not there: RESOURCE_NOT_FOUND. More users than
///   `limits: users`: POLICY_VIOLATION.
struct AlterUserScramCredentialsHandler: DeferredApiHandler {
    typealias Request = AlterUserScramCredentialsRequest
    static let versions: ClosedRange<Int16> = 0...0

    /// Of a user's name.
    private static let nameBytesMax = 255
    private static let saltBytes = 8...256

    let users: ScramUsers

    private struct Refusal: Error {
        let code: ErrorCode
        let message: String
    }

    private typealias Checked = Result<ScramChange, Refusal>

    func answer(_ call: Call<AlterUserScramCredentialsRequest>) async -> AlterUserScramCredentialsResponse {
        let known = users.all
        var checked: [String: [Checked]] = [:]
        var seen: Set<String> = []
        for deletion in call.request.deletions {
            checked[deletion.name, default: []].append(
                Self.outcome { () throws(Refusal) in
                    let mechanism = try Self.mechanism(deletion.mechanism, deletion.name, &seen)
                    guard known[deletion.name]?[mechanism] != nil else {
                        throw Refusal(
                            code: .resourceNotFound, message: "\(deletion.name) has no credential for \(mechanism.name)"
                        )
                    }
                    return .remove(user: deletion.name, mechanism)
                })
        }
        for upsertion in call.request.upsertions {
            checked[upsertion.name, default: []].append(
                Self.outcome { () throws(Refusal) in try Self.change(upsertion, &seen) })
        }
        return await apply(checked, known: Set(known.keys))
    }

    private func apply(_ checked: [String: [Checked]], known: Set<String>) async -> AlterUserScramCredentialsResponse {
        var response = AlterUserScramCredentialsResponse()
        var room = users.countMax - known.count
        var changes: [ScramChange] = []
        var changing: [Int] = []
        for (user, outcomes) in checked.sorted(by: { $0.key < $1.key }) {
            var result = AlterUserScramCredentialsResponse.AlterUserScramCredentialsResult()
            result.user = user
            do throws(Refusal) {
                var own: [ScramChange] = []
                for outcome in outcomes { own.append(try outcome.get()) }
                if !known.contains(user) {
                    guard room > 0 else {
                        throw Refusal(
                            code: .policyViolation, message: "\(users.countMax) users are known already (limits: users)"
                        )
                    }
                    room -= 1
                }
                changes += own
                changing.append(response.results.count)
            } catch {
                result.errorCode = error.code
                result.errorMessage = error.message
            }
            response.results.append(result)
        }
        guard !changes.isEmpty else { return response }
        do throws(MetadataStoreError) { try await users.apply(changes) } catch {
            for index in changing {
                response.results[index].errorCode = .kafkaStorageError
                response.results[index].errorMessage = error.message
            }
        }
        return response
    }

    private static func change(
        _ upsertion: AlterUserScramCredentialsRequest.ScramCredentialUpsertion, _ seen: inout Set<String>
    ) throws(Refusal) -> ScramChange {
        let mechanism = try mechanism(upsertion.mechanism, upsertion.name, &seen)
        func unacceptable(_ message: String) -> Refusal { Refusal(code: .unacceptableCredential, message: message) }
        guard !upsertion.name.isEmpty, upsertion.name.utf8.count <= nameBytesMax else {
            throw unacceptable("a user's name has 1 to \(nameBytesMax) bytes")
        }
        let iterations = ScramCredential.iterationsServed
        guard iterations.contains(Int(upsertion.iterations)) else {
            throw unacceptable(
                "\(upsertion.iterations) iterations: \(iterations.lowerBound) to \(iterations.upperBound) are wanted")
        }
        guard saltBytes.contains(upsertion.salt.readableBytes) else {
            throw unacceptable("a salt of \(upsertion.salt.readableBytes) bytes: 8 to 256 are wanted")
        }
        guard upsertion.saltedPassword.readableBytes == mechanism.byteCount else {
            throw unacceptable("a salted password of \(mechanism.name) has \(mechanism.byteCount) bytes")
        }
        return .set(
            user: upsertion.name,
            ScramCredential(
                mechanism: mechanism, saltedPassword: Array(buffer: upsertion.saltedPassword),
                salt: Array(buffer: upsertion.salt), iterations: Int(upsertion.iterations)))
    }

    private static func mechanism(
        _ number: Int8, _ user: String, _ seen: inout Set<String>
    ) throws(Refusal) -> ScramMechanism {
        guard let mechanism = ScramMechanism(rawValue: number) else {
            throw Refusal(code: .unsupportedSaslMechanism, message: "\(number) is no SCRAM mechanism: 1 or 2")
        }
        guard seen.insert("\(number) \(user)").inserted else {
            throw Refusal(code: .duplicateResource, message: "\(user)'s \(mechanism.name) is changed twice")
        }
        return mechanism
    }

    private static func outcome(_ body: () throws(Refusal) -> ScramChange) -> Checked {
        do throws(Refusal) { return .success(try body()) } catch { return .failure(error) }
    }
}
