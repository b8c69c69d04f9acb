import CMaxMindDB
import Events
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A database of MaxMind's format (MaxMind DB File Format 2.0), by libmaxminddb. It is mapped into memory, and stays the file that it was when it was opened.
final class GeoDatabase: @unchecked Sendable {
    // Sendable: lookups only read (libmaxminddb's own promise).
    struct Problem: Error, CustomStringConvertible {
        var description: String
    }

    private let handle: UnsafeMutablePointer<MMDB_s>

    init(_ path: String) throws(Problem) {
        let handle = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
        let status = MMDB_open(path, UInt32(MMDB_MODE_MMAP), handle)
        guard status == MMDB_SUCCESS else {
            handle.deallocate()
            throw Problem(description: "\(path) can't be read as a MaxMind database: \(Self.text(status))")
        }
        self.handle = handle
    }

    deinit {
        MMDB_close(handle)
        handle.deallocate()
    }

    private static func text(_ status: Int32) -> String {
        MMDB_strerror(status).map { String(cString: $0) } ?? "\(status)"
    }

    /// The values at the paths (`country`, `iso_code`) of the network that holds the address; null where the database says nothing.
    /// - Returns: nil where the text is no address.
    func values(of address: String, at paths: [[String]]) throws(Problem) -> [Value]? {
        guard var socket = Self.socketAddress(address) else { return nil }
        var status: Int32 = 0
        var found = withUnsafePointer(to: &socket) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { MMDB_lookup_sockaddr(handle, $0, &status) }
        }
        // An IPv6 address is in no database of IPv4 addresses.
        if status == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR { return paths.map { _ in .null } }
        guard status == MMDB_SUCCESS else {
            throw Problem(description: "the database is damaged: \(Self.text(status))")
        }
        guard found.found_entry else { return paths.map { _ in .null } }
        return paths.map { Self.value(&found.entry, at: $0) }
    }

    private static func socketAddress(_ text: String) -> sockaddr_storage? {
        var storage = sockaddr_storage()
        let isRead = withUnsafeMutablePointer(to: &storage) { storage in
            if text.utf8.contains(UInt8(ascii: ":")) {
                return storage.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                    address.pointee.sin6_family = sa_family_t(AF_INET6)
                    return inet_pton(AF_INET6, text, &address.pointee.sin6_addr) == 1
                }
            }
            return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                address.pointee.sin_family = sa_family_t(AF_INET)
                return inet_pton(AF_INET, text, &address.pointee.sin_addr) == 1
            }
        }
        return isRead ? storage : nil
    }

    private static func value(_ entry: inout MMDB_entry_s, at path: [String]) -> Value {
        let names = path.map { strdup($0) }
        defer { for name in names { free(name) } }
        var list = names.map { UnsafePointer<CChar>($0) } + [nil]
        var data = MMDB_entry_data_s()
        guard MMDB_aget_value(&entry, &data, &list) == MMDB_SUCCESS, data.has_data else { return .null }
        switch Int32(data.type) {
        case MMDB_DATA_TYPE_UTF8_STRING:
            guard let base = data.utf8_string else { return .null }
            return .string(TextRepair.string(UnsafeRawBufferPointer(start: base, count: Int(data.data_size))))
        case MMDB_DATA_TYPE_DOUBLE: return .double(data.double_value)
        case MMDB_DATA_TYPE_FLOAT: return .double(Double(data.float_value))
        case MMDB_DATA_TYPE_UINT16: return .int(Int64(data.uint16))
        case MMDB_DATA_TYPE_UINT32: return .int(Int64(data.uint32))
        case MMDB_DATA_TYPE_INT32: return .int(Int64(data.int32))
        case MMDB_DATA_TYPE_UINT64: return Int64(exactly: data.uint64).map { .int($0) } ?? .string("\(data.uint64)")
        case MMDB_DATA_TYPE_BOOLEAN: return .bool(data.boolean)
        default: return .null
        }
    }
}
