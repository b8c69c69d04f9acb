import Base
import KafkaWire

/// AddOffsetsToTxn (25), versions 0–4: a producer is about to commit offsets of this group in its transaction: the partition of
/// `__consumer_offsets` that holds them gets a marker too.
struct AddOffsetsToTxnHandler: ApiHandler {
    typealias Request = AddOffsetsToTxnRequest
    static let versions: ClosedRange<Int16> = 0...4

    let services: BrokerServices

    func handle(_ call: Call<AddOffsetsToTxnRequest>) {
        let request = call.request
        guard !request.groupId.isEmpty else {
            var response = AddOffsetsToTxnResponse()
            response.errorCode = .invalidGroupId
            return call.answer(response)
        }
        services.transactions.add(
            [services.groups.partition(of: request.groupId)], to: request.transactionalId,
            producerID: ProducerID(request.producerId), epoch: ProducerEpoch(request.producerEpoch), clientVersion: 0
        ) { error, _ in
            var response = AddOffsetsToTxnResponse()
            response.errorCode = error == .producerFenced && call.version < 2 ? .invalidProducerEpoch : error
            call.answer(response)
        }
    }
}
