import Base
import KafkaConnection
import KafkaWire

/// InitProducerId (22), versions 0–5: a producer id that was never given before, at epoch 0 (KIP-98); or the id of a transactional id, one
/// epoch on, which fences whoever had it before and aborts what he left open (CONCURRENT_TRANSACTIONS until that is done: ask again).
///
/// Ids come in blocks that are durable before use.
struct InitProducerIdHandler: ApiHandler {
    typealias Request = InitProducerIdRequest
    static let versions: ClosedRange<Int16> = 0...5

    let services: BrokerServices

    func handle(_ call: Call<InitProducerIdRequest>) {
        var response = InitProducerIdResponse()
        response.producerEpoch = -1
        if let id = call.request.transactionalId { return initialise(id, call, response) }
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

    private func initialise(_ id: String, _ call: Call<InitProducerIdRequest>, _ response: InitProducerIdResponse) {
        let request = call.request
        let expected =
            call.version >= 3 && request.producerId >= 0
            ? (id: ProducerID(request.producerId), epoch: ProducerEpoch(request.producerEpoch)) : nil
        let timeout = Duration.milliseconds(Int64(request.transactionTimeoutMs))
        services.producerIDs.next { [services] fresh in
            guard let fresh else {
                var response = response
                response.errorCode = .coordinatorNotAvailable
                return call.answer(response)
            }
            services.transactions.initialise(id, timeout: timeout, expected: expected, newID: fresh) { error, entry in
                var response = response
                // Clients before v4 know no PRODUCER_FENCED.
                response.errorCode = error == .producerFenced && call.version < 4 ? .invalidProducerEpoch : error
                if error == .none, let entry {
                    response.producerId = entry.producerID.rawValue
                    response.producerEpoch = entry.epoch.rawValue
                }
                call.answer(response)
            }
        }
    }
}
