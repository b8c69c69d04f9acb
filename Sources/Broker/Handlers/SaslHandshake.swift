import KafkaConnection
import KafkaWire

/// SaslHandshake (17), version 1: the client chooses a mechanism; SaslAuthenticate follows.
///
/// - A mechanism that the listener does not serve: UNSUPPORTED_SASL_MECHANISM, with those that it serves.
/// - A listener without SASL: ILLEGAL_SASL_STATE.
/// - Version 0, which is followed by messages without Kafka's framing, is not served: clients since 1.0 use 1 (KIP-152).
struct SaslHandshakeHandler: ImmediateApiHandler {
    typealias Request = SaslHandshakeRequest
    static let versions: ClosedRange<Int16> = 1...1

    let authentication: Authentication

    func answer(_ call: Call<SaslHandshakeRequest>) -> SaslHandshakeResponse {
        var response = SaslHandshakeResponse()
        guard let session = PeerSession.of(call.received.connection), session.sasl != nil else {
            response.errorCode = .illegalSaslState
            return response
        }
        response.mechanisms = session.listener.sasl.map(\.rawValue)
        switch session.sasl!.mechanismChosen(call.request.mechanism, makeScram: authentication.users.scramServer) {
        case nil: response.errorCode = .unsupportedSaslMechanism
        case .success?: break
        case .failure?: response.errorCode = .illegalSaslState
        }
        return response
    }
}
