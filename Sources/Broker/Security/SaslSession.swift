import Base
import KafkaConnection
import Sasl

/// What SASL has made of one connection: which mechanism, whose it is, and for how long (KIP-43, KIP-152, KIP-368). A machine without I/O.
struct SaslSession {
    enum Outcome {
        case challenge([UInt8])
        /// Whoever it was before, it is this one now. `lifetime`: within it the client has to authenticate again; nil: never.
        case authenticated(Principal, last: [UInt8], lifetime: Duration?)
        /// Whether that is the user's password has to be found out, which takes time; then `passwordChecked`.
        case checkPassword(user: String, password: String)
        case refused(String)
    }

    enum Gate: Equatable {
        case open
        case closed(String)
    }

    private enum State {
        case waitingForMechanism
        case waitingForMessage(SaslMechanism, ScramServer?)
        case checkingPassword(user: String)
        case failed
    }

    private let mechanisms: [SaslMechanism]
    private let lifetimeMax: Duration?
    private var state = State.waitingForMechanism
    private var identity: (principal: Principal, mechanism: SaslMechanism, expiresAt: Instant?)?
    private var mechanism: SaslMechanism?

    /// - Parameter lifetimeMax: after which a client has to authenticate again.
    init(mechanisms: [SaslMechanism], lifetimeMax: Duration?) {
        self.mechanisms = mechanisms
        self.lifetimeMax = lifetimeMax
    }

    var principal: Principal? { identity?.principal }

    /// Whether a request may be served that is not about authentication.
    func gate(now: Instant) -> Gate {
        if case .failed = state { return .closed("after its authentication had failed") }
        guard let identity else { return .closed("before it authenticated") }
        if let expiresAt = identity.expiresAt, now >= expiresAt {
            return .closed(
                "after its time was over: \(identity.principal) had to authenticate again (reauthentication)")
        }
        return .open
    }

    /// SaslHandshake. False where the mechanism is not served.
    mutating func mechanismChosen(
        _ name: String, makeScram: (ScramMechanism) -> ScramServer
    ) -> Result<Void, AuthenticationFailure>? {
        guard case .waitingForMechanism = state else {
            state = .failed
            return .failure(AuthenticationFailure("SaslHandshake in the midst of an exchange"))
        }
        guard let chosen = SaslMechanism(rawValue: name), mechanisms.contains(chosen) else { return nil }
        if let identity, identity.mechanism != chosen {
            state = .failed
            return .failure(AuthenticationFailure("\(identity.principal) came by another mechanism than \(name)"))
        }
        mechanism = chosen
        state = .waitingForMessage(chosen, chosen.scram.map(makeScram))
        return .success(())
    }

    /// SaslAuthenticate.
    mutating func messageReceived(_ bytes: [UInt8], now: Instant) -> Outcome {
        switch state {
        case .waitingForMessage(let mechanism, var exchange):
            state = .failed
            do throws(AuthenticationFailure) {
                guard exchange != nil else {
                    let (user, password) = try Plain.decode(bytes)
                    state = .checkingPassword(user: user)
                    return .checkPassword(user: user, password: password)
                }
                switch try exchange!.received(bytes) {
                case .challenge(let challenge):
                    state = .waitingForMessage(mechanism, exchange)
                    return .challenge(challenge)
                case .authenticated(let user, let last): return authenticated(user, last: last, now: now)
                }
            } catch { return .refused(error.message) }
        case .waitingForMechanism: return .refused("SaslAuthenticate before SaslHandshake")
        case .checkingPassword, .failed:
            state = .failed
            return .refused("SaslAuthenticate in the midst of another, or after one that failed")
        }
    }

    mutating func passwordChecked(isRight: Bool, now: Instant) -> Outcome {
        guard case .checkingPassword(let user) = state else {
            state = .failed
            return .refused("SaslAuthenticate in the midst of another")
        }
        guard isRight else {
            state = .failed
            return .refused("no user \(user) with that password is known")
        }
        return authenticated(user, last: [], now: now)
    }

    private mutating func authenticated(_ user: String, last: [UInt8], now: Instant) -> Outcome {
        let principal = Principal(name: user)
        if let identity, identity.principal != principal {
            state = .failed
            return .refused("\(identity.principal) may not become \(principal) on the same connection")
        }
        state = .waitingForMechanism
        identity = (principal, mechanism!, lifetimeMax.map { now + $0 })
        return .authenticated(principal, last: last, lifetime: lifetimeMax)
    }
}
