import Base

/// How bad the network is, as probabilities per request.
struct NetworkWeather {
    /// The connection breaks before the request arrives, or before its answer does.
    var breaks = 0.0
    /// A request on a broken connection arrives all the same, late: it waited in a buffer.
    var arrivesLate = 0.0
    /// A request or an answer takes seconds.
    var stalls = 0.0
    /// What a request that arrived late does a second time.
    var repeats = 0.0
}

/// What one process sends to the broker over one connection at a time: requests arrive in order, and are answered in order. A break loses
/// what is under way, in whole or in part; whoever waits learns of it at once, or when it has waited long enough.
final class Link {
    static let requestTimeout = Duration.seconds(30)

    private let world: World
    private let broker: SimulatedBroker
    let name: String
    private var connection: Connection?
    /// The connection on which batches of a partition go: another one only once the partition was looked at anew.
    private var routes: [TopicPartition: Connection] = [:]
    /// The process that holds this end is dead: nobody hears an answer.
    var isClosed = false

    init(_ world: World, to broker: SimulatedBroker, name: String) {
        self.world = world
        self.broker = broker
        self.name = name
    }

    enum Outcome {
        case answered(BrokerResponse)
        /// The request may have arrived.
        case unanswered
        /// There was no connection.
        case unsent
    }

    /// One connection, to one life of the broker.
    final class Connection {
        let life: Int
        /// Nothing more comes through.
        var isBroken = false
        /// This side knows that.
        var isKnownBroken = false
        /// When the last request or answer arrives: none comes before it.
        var lastArrival = Instant.zero
        var lastAnswer = Instant.zero
        var waiting: [UInt64: (Outcome) -> Void] = [:]
        var slots: [Slot] = []

        init(life: Int) { self.life = life }
    }

    /// Keeps the answers in the order of the requests.
    final class Slot {
        let number: UInt64
        var response: BrokerResponse?
        init(_ number: UInt64) { self.number = number }
    }

    private var requestCount: UInt64 = 0

    /// `then` is called once, later, unless the process dies first.
    func send(_ request: BrokerRequest, then: @escaping (Outcome) -> Void) {
        guard let connection = connection(for: request) else {
            // Nobody listens: refused at once, or no answer to the SYN.
            world.after(world.duration(.milliseconds(1)...(.milliseconds(300)))) { [self] in
                if !isClosed { then(.unsent) }
            }
            return
        }
        requestCount += 1
        let number = requestCount
        connection.waiting[number] = then
        connection.slots.append(Slot(number))
        let weather = world.weather
        world.after(Self.requestTimeout) { [self] in
            if connection.waiting[number] != nil { broke(connection, isHeardAtOnce: true) }
        }
        let breaks = world.chance(weather.breaks)
        if breaks && world.oneIn(2) {
            // Before the request came out.
            broke(connection, isHeardAtOnce: world.oneIn(2))
        }
        connection.lastArrival = max(connection.lastArrival, world.now + delay(weather))
        let arrival = connection.lastArrival
        world.at(arrival) { [self] in arrived(request, number, on: connection, weather) }
        if breaks && !connection.isBroken {
            let moment = arrival + world.duration(.zero...(.milliseconds(20)))
            world.at(moment) { [self] in broke(connection, isHeardAtOnce: world.oneIn(2)) }
        }
    }

    private func connection(for request: BrokerRequest) -> Connection? {
        if case .produce(let partition, _) = request, let route = routes[partition] {
            return route.isKnownBroken || route.life != broker.life ? nil : route
        }
        guard let life = broker.life else { return nil }
        if connection == nil || connection!.isKnownBroken || connection!.life != life {
            connection = Connection(life: life)
        }
        if case .produce(let partition, _) = request { routes[partition] = connection }
        return connection
    }

    func forgetRoute(_ partition: TopicPartition) { routes[partition] = nil }

    private func delay(_ weather: NetworkWeather) -> Duration {
        world.chance(weather.stalls)
            ? world.duration(.milliseconds(50)...(.seconds(20)))
            : world.duration(.microseconds(100)...(.milliseconds(3)))
    }

    private func arrived(
        _ request: BrokerRequest, _ number: UInt64, on connection: Connection, _ weather: NetworkWeather
    ) {
        guard broker.life == connection.life else { return broke(connection, isHeardAtOnce: true) }
        if connection.isBroken {
            guard world.chance(weather.arrivesLate) else { return }
            let again = world.chance(weather.repeats)
            let late = world.duration(.zero...(world.oneIn(3) ? .seconds(8) : .milliseconds(200)))
            // Still one after the other, as they stand in the socket's buffer.
            connection.lastArrival = max(connection.lastArrival, world.now + late)
            world.at(connection.lastArrival) { [self] in
                guard broker.life == connection.life else { return }
                world.note("\(name) request \(number) arrives late: \(request)")
                broker.handle(request) { _ in }
                if again { broker.handle(request) { _ in } }
            }
            return
        }
        broker.handle(request) { [self] response in
            guard broker.life == connection.life else { return }
            answer(number, response, on: connection, weather)
        }
    }

    private func answer(
        _ number: UInt64, _ response: BrokerResponse, on connection: Connection, _ weather: NetworkWeather
    ) {
        connection.slots.first { $0.number == number }?.response = response
        while let slot = connection.slots.first, let response = slot.response {
            connection.slots.removeFirst()
            connection.lastAnswer = max(connection.lastAnswer, world.now + delay(weather))
            world.at(connection.lastAnswer) { [self] in
                guard !connection.isBroken, let then = connection.waiting.removeValue(forKey: slot.number) else {
                    return
                }
                if !isClosed { then(.answered(response)) }
            }
        }
    }

    /// It is over with the connection; whoever waits is told where this side learns of it.
    private func broke(_ connection: Connection, isHeardAtOnce: Bool) {
        connection.isBroken = true
        guard isHeardAtOnce, !connection.isKnownBroken else { return }
        connection.isKnownBroken = true
        let waiting = connection.waiting.sorted { $0.key < $1.key }
        connection.waiting = [:]
        for (_, then) in waiting {
            world.after(.microseconds(1)) { [self] in
                if !isClosed { then(.unanswered) }
            }
        }
    }

    /// The broker's life ended: whoever has a connection to it is told soon, or when the time is up.
    func brokerDied() {
        guard let connection, !connection.isBroken else { return }
        connection.isBroken = true
        guard world.oneIn(3) == false else { return }
        world.after(world.duration(.zero...(.milliseconds(20)))) { [self] in broke(connection, isHeardAtOnce: true) }
    }
}
