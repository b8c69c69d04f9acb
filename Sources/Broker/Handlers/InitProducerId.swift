import Base
import KafkaConnection
import KafkaWire

/// InitProducerId (22), versions 0–5: a producer id that was never given before, at epoch 0 (KIP-98).
///
/// Ids come in blocks that are durable before use. Transactions are not served: a transactional id gets INVALID_REQUEST.
struct InitProducerIdHandler: ApiHandler {
    typealias Request = InitProducerIdRequest
    static let versions: ClosedRange<Int16> = 0...5

    let services: BrokerServices

    func handle(_ call: Call<InitProducerIdRequest>) {
        var response = InitProducerIdResponse()
        response.producerEpoch = -1
        guard call.request.transactionalId == nil else {
            response.errorCode = .invalidRequest
            return call.answer(response)
        }
        services.producerIDs.next { [response] id in
            var response = response
            if let id {
                response.producerId = id.rawValue
                response.producerEpoch = 0
            } else {
                response.errorCode = .coordinatorNotAvailable
            }
            call.answer(response)
        }
    }
}
