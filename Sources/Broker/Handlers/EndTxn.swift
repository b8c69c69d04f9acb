import Base
import GroupCoordination
import KafkaWire

/// EndTxn (26), versions 0–5: commits or aborts. Answered once the decision is durable; the markers follow.
///
/// From v5 on the end raises the producer's epoch (KIP-890); the answer names it, and a new producer id where the epochs are used up.
struct EndTxnHandler: ApiHandler {
    typealias Request = EndTxnRequest
    static let versions: ClosedRange<Int16> = 0...5

    let services: BrokerServices

    func handle(_ call: Call<EndTxnRequest>) {
        guard call.version >= 5 else { return end(call, newID: .none) }
        services.producerIDs.next { [self] id in
            guard let id else {
                var response = EndTxnResponse()
                response.errorCode = .coordinatorNotAvailable
                return call.answer(response)
            }
            end(call, newID: id)
        }
    }

    private func end(_ call: Call<EndTxnRequest>, newID: ProducerID) {
        let request = call.request
        services.transactions.end(
            request.transactionalId, commits: request.committed, producerID: ProducerID(request.producerId),
            epoch: ProducerEpoch(request.producerEpoch), raisesEpoch: call.version >= 5, newID: newID
        ) { error, entry in
            var response = EndTxnResponse()
            response.errorCode = error == .producerFenced && call.version < 2 ? .invalidProducerEpoch : error
            if error == .none, let entry {
                let (id, epoch) = TransactionMachine.identity(after: entry)
                response.producerId = id.rawValue
                response.producerEpoch = epoch.rawValue
            }
            call.answer(response)
        }
    }
}
