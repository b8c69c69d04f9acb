/// The values that come most often, of any number of different ones (Metwally, Agrawal, El Abbadi: "Space-Saving", 2005).
///
/// A value that makes up more than one `capacity`-th of all is certainly among them; each count is too high by `error` at most.
struct SpaceSaving {
    struct Entry: Equatable {
        var value: String
        var count: Int64
        /// How much of the count may be others'.
        var error: Int64
    }

    private static let valueBytesMax = 1024

    private let capacity: Int
    private var places: [String: Int] = [:]
    /// A heap, the smallest count on top.
    private var heap: [Entry] = []

    init(capacity: Int) { self.capacity = capacity }

    mutating func add(_ value: String) {
        let value = value.utf8.count <= Self.valueBytesMax ? value : String(value.prefix(Self.valueBytesMax / 4))
        if let place = places[value] {
            heap[place].count += 1
            sink(place)
        } else if heap.count < capacity {
            heap.append(Entry(value: value, count: 1, error: 0))
            places[value] = heap.count - 1
            rise(heap.count - 1)
        } else {
            let least = heap[0]
            places[least.value] = nil
            heap[0] = Entry(value: value, count: least.count + 1, error: least.count)
            places[value] = 0
            sink(0)
        }
    }

    /// The most frequent first; of equal ones in the order of their text, so that the same input gives the same list.
    func top(_ count: Int) -> [Entry] {
        Array(heap.sorted { $0.count != $1.count ? $0.count > $1.count : $0.value < $1.value }.prefix(count))
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        places[heap[left].value] = left
        places[heap[right].value] = right
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, heap[place].count < heap[(place - 1) / 2].count {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && heap[child].count < heap[least].count {
                least = child
            }
            guard least != place else { return }
            swap(place, least)
            place = least
        }
    }
}
