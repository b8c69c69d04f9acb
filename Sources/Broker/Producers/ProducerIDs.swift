import Base
import Synchronization

/// Runs the allocator of producer ids against the metadata store.
final class ProducerIDs: Sendable {
    typealias Waiter = @Sendable (ProducerID?) -> Void

    private let allocator = Mutex(ProducerIDAllocator<Waiter>())
    private let store: any MetadataStore

    init(store: any MetadataStore) { self.store = store }

    /// An id that was never given before; nil where none can be had now. `then` runs at once where there is one at hand.
    func next(_ then: @escaping Waiter) { run(allocator.withLock { $0.idWanted(by: then) }) }

    private func run(_ actions: [ProducerIDAllocator<Waiter>.Action]) {
        for action in actions {
            switch action {
            case .answer(let waiter, let id): waiter(id)
            case .fail(let waiter): waiter(nil)
            case .takeBlock(let count): takeBlock(count)
            }
        }
    }

    private func takeBlock(_ count: Int64) {
        Task {
            do throws(MetadataStoreError) {
                let end = try await store.apply(.producerIDsTaken(count: count)).nextProducerID.rawValue
                run(allocator.withLock { $0.blockTaken((end - count)..<end) })
            } catch {
                run(allocator.withLock { $0.blockRefused() })
            }
        }
    }
}
