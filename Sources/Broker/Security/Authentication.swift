import Base
import KafkaConnection
import Logging
import NIOCore
import Telemetry

/// What SASL needs of the broker: the users, a thread for passwords, and someone to tell.
struct Authentication: Sendable {
    /// An answer to a wrong password waits for so long, so that guessing is slow (`connection.failed.authentication.delay.ms`).
    static let failureDelay = Duration.milliseconds(100)

    let users: ScramUsers
    /// Checks of passwords, which take some milliseconds each; at most so many wait.
    let lane: DiskLane
    let telemetry: Telemetry
}

/// A client is who it says.
struct Authenticated: Fact {
    let listener: String
    let principal: Principal
    let peer: String

    var level: Logger.Level { .debug }
    var message: String { "\(peer) is \(principal) (listener \(listener))" }
    func measure(in metrics: MetricRegistry) { metrics.counter(BrokerMetrics.authenticated, listener).increment() }
}

/// A client is not who it says, or does not speak SASL. Peers can cause this at will: the end of its connection says it, once in a while.
struct AuthenticationFailed: Fact {
    let listener: String
    let reason: String

    var level: Logger.Level { .debug }
    var message: String { "an authentication failed (listener \(listener)): \(reason)" }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.authenticationsFailed, listener).increment()
    }
}
