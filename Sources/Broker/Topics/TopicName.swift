/// Which names a topic may have: Kafka's rule, since the name becomes part of a folder's name.
enum TopicName {
    static let lengthMax = 249

    /// Nil where the name is fine, otherwise what is wrong with it.
    static func fault(in name: String) -> String? {
        if name.isEmpty { return "a topic's name can't be empty" }
        if name == "." || name == ".." { return "a topic can't be called '\(name)'" }
        if name.utf8.count > lengthMax { return "a topic's name has at most \(lengthMax) characters" }
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                continue
            default: return "a topic's name has only letters, digits, '.', '_' and '-'; '\(name.prefix(60))' has others"
            }
        }
        return nil
    }

    /// Topics that the broker keeps for itself: clients read them but do not write them.
    static func isInternal(_ name: String) -> Bool { name == "__consumer_offsets" || name == "__transaction_state" }
}
