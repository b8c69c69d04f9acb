import Base
import KafkaConnection
import KafkaWire
import NIOCore

/// SaslAuthenticate (36), versions 0–2: one message of the mechanism that SaslHandshake chose, and its answer.
///
/// - What is wrong is answered with SASL_AUTHENTICATION_FAILED after a moment, and the connection is closed. The answer does not tell whether there is such a user.
/// - From version 1 on the last answer says within which time the client has to authenticate again (KIP-368).
struct SaslAuthenticateHandler: ApiHandler {
    typealias Request = SaslAuthenticateRequest
    static let versions: ClosedRange<Int16> = 0...2

    let authentication: Authentication
    let time: any TimeSource

    func handle(_ call: Call<SaslAuthenticateRequest>) {
        guard let session = PeerSession.of(call.received.connection), session.sasl != nil else {
            var response = SaslAuthenticateResponse()
            response.errorCode = .illegalSaslState
            response.errorMessage = "SASL is not served at this listener"
            return call.answer(response)
        }
        let outcome = session.sasl!.messageReceived(Array(buffer: call.request.authBytes), now: time.now)
        act(on: outcome, call, session)
    }

    /// On the connection's event loop.
    private func act(on outcome: SaslSession.Outcome, _ call: Call<SaslAuthenticateRequest>, _ session: PeerSession) {
        var response = SaslAuthenticateResponse()
        switch outcome {
        case .challenge(let bytes):
            response.authBytes = ByteBuffer(bytes: bytes)
            call.answer(response)
        case .authenticated(let principal, let last, let lifetime):
            response.authBytes = ByteBuffer(bytes: last)
            response.sessionLifetimeMs = lifetime?.milliseconds ?? 0
            call.answer(response)
            let connection = call.received.connection
            authentication.telemetry.emit(
                Authenticated(
                    listener: session.listener.name, principal: principal, peer: connection.remoteAddress))
            connection.letIn()
        case .checkPassword(let user, let password): check(password, of: user, call)
        case .refused(let reason): refuse(call, session, reason)
        }
    }

    private func check(_ password: String, of user: String, _ call: Call<SaslAuthenticateRequest>) {
        let connection = call.received.connection
        let isQueued = authentication.lane.submit {
            let isRight = authentication.users.isPassword(password, of: user)
            connection.eventLoop.execute { passwordChecked(isRight, call) }
        }
        if !isQueued {
            connection.close(.refused("too many passwords wait to be checked"))
        }
    }

    private func passwordChecked(_ isRight: Bool, _ call: Call<SaslAuthenticateRequest>) {
        guard let session = PeerSession.of(call.received.connection), session.sasl != nil else { return }
        act(on: session.sasl!.passwordChecked(isRight: isRight, now: time.now), call, session)
    }

    private func refuse(_ call: Call<SaslAuthenticateRequest>, _ session: PeerSession, _ reason: String) {
        authentication.telemetry.emit(AuthenticationFailed(listener: session.listener.name, reason: reason))
        let connection = call.received.connection
        connection.eventLoop.scheduleTask(in: .nanoseconds(Authentication.failureDelay.nanoseconds)) {
            var response = SaslAuthenticateResponse()
            response.errorCode = .saslAuthenticationFailed
            response.errorMessage = "Authentication failed: invalid credentials, or a message that is none"
            call.answer(response)
            connection.close(.refused("the authentication failed: \(reason)"))
        }
    }
}
