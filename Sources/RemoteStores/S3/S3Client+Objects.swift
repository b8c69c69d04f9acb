import Base
import Exports

/// What an export asks of objects and of uploads.
extension S3Client {
    struct Listing: Sendable {
        /// Keys and lengths, ascending.
        var objects: [(key: String, length: Int64)] = []
        /// What stands before the next `/`, with it.
        var folders: [String] = []
        /// Where the next page begins; nil at the end.
        var next: String?
    }

    struct ObjectStatus: Sendable {
        var length: Int64
        /// What `x-amz-meta-millrace` says.
        var mark: String?
    }

    static let markHeader = "x-amz-meta-millrace"
    private static let listBytesMax = ByteCount.mib(16)

    // MARK: - Objects

    /// Nil where there is no such object.
    func status(_ key: String) async throws(ExportError) -> ObjectStatus? {
        var request = S3Request("HEAD", key)
        request.expected = [200, 404]
        let answer = try await send(request)
        guard answer.status == 200 else { return nil }
        guard let length = answer.header("content-length").flatMap({ Int64($0) }) else {
            throw ExportError(.store, "\(name(key)): the store does not tell its length")
        }
        return ObjectStatus(length: length, mark: answer.header(Self.markHeader))
    }

    /// The bytes from `position` on, at most `length`; nil where there is no such object.
    func read(_ key: String, from position: Int64 = 0, length: Int) async throws(ExportError) -> [UInt8]? {
        var request = S3Request("GET", key)
        request.headers = [HTTPHeader("range", "bytes=\(position)-\(position + Int64(length) - 1)")]
        // A range that begins at the end is none.
        request.expected = [200, 206, 404, 416]
        request.answerBytesMax = .bytes(length)
        let answer = try await send(request)
        switch answer.status {
        case 404:
            let trouble = S3Trouble(answer)
            guard trouble.code != "NoSuchBucket" else {
                throw ExportError(.store, "\(name(key)): \(trouble.text)\(trouble.hint(settings))")
            }
            return nil
        case 416: return []
        default: return answer.body
        }
    }

    /// Writes an object whole, in place of what stands there.
    func put(_ key: String, _ bytes: [UInt8]) async throws(ExportError) {
        var request = S3Request("PUT", key)
        request.body = bytes
        _ = try await send(request)
    }

    /// Writes an object whole where none stands. False where one does; it may be the same, written by a request whose answer was lost.
    func create(_ key: String, _ bytes: [UInt8]) async throws(ExportError) -> Bool {
        var request = S3Request("PUT", key)
        request.headers = [HTTPHeader("if-none-match", "*")]
        request.body = bytes
        request.expected = [200, 412]
        request.isDecisive = true
        return try await send(request).status == 200
    }

    /// Nothing there is fine.
    func delete(_ key: String) async throws(ExportError) {
        var request = S3Request("DELETE", key)
        request.expected = [200, 204, 404]
        _ = try await send(request)
    }

    /// A page of the keys that begin with `prefix`, in their order; with `delimiter`, those with a `/` further on as folders.
    func list(
        _ prefix: String, delimiter: Bool = false, after: String? = nil, continuing token: String? = nil,
        keysMax: Int = 1000
    ) async throws(ExportError) -> Listing {
        var request = S3Request("GET", nil)
        request.query = [("list-type", "2"), ("prefix", prefix), ("max-keys", String(keysMax))]
        if delimiter { request.query.append(("delimiter", "/")) }
        if let after { request.query.append(("start-after", after)) }
        if let token { request.query.append(("continuation-token", token)) }
        request.answerBytesMax = Self.listBytesMax
        let root = try root(try await send(request), "ListBucketResult", prefix)
        var listing = Listing()
        for entry in root.children("Contents") {
            guard let key = entry.text("Key"), let length = entry.text("Size").flatMap({ Int64($0) }) else {
                throw strange(prefix, "a key without a name or a length")
            }
            listing.objects.append((key, length))
        }
        listing.folders = root.children("CommonPrefixes").compactMap { $0.text("Prefix") }
        if root.text("IsTruncated") == "true" {
            guard let next = root.text("NextContinuationToken") else { throw strange(prefix, "a page without a next") }
            listing.next = next
        }
        return listing
    }

    /// All pages.
    func listAll(_ prefix: String, delimiter: Bool = false) async throws(ExportError) -> Listing {
        var whole = try await list(prefix, delimiter: delimiter)
        while let next = whole.next {
            let page = try await list(prefix, delimiter: delimiter, continuing: next)
            whole.objects += page.objects
            whole.folders += page.folders
            whole.next = page.next
        }
        return whole
    }

    // MARK: - Uploads

    /// Begins an upload; what it becomes carries the mark.
    func beginUpload(_ key: String, mark: String) async throws(ExportError) -> String {
        var request = S3Request("POST", key)
        request.query = [("uploads", "")]
        request.headers = [HTTPHeader(Self.markHeader, mark)]
        let root = try root(try await send(request), "InitiateMultipartUploadResult", key)
        guard let id = root.text("UploadId"), !id.isEmpty else { throw strange(key, "an upload without an id") }
        return id
    }

    /// Uploads part `number` (from 1), and returns its ETag; the same part again replaces it.
    func uploadPart(_ number: Int, _ bytes: [UInt8], of key: String, _ id: String) async throws(ExportError) -> String {
        var request = S3Request("PUT", key)
        request.query = [("partNumber", String(number)), ("uploadId", id)]
        request.body = bytes
        guard let etag = try await send(request).header("etag") else { throw strange(key, "a part without an ETag") }
        return etag
    }

    /// Makes the object of the parts where none stands. False where the upload is no more, or an object stands there.
    func completeUpload(_ upload: CommitRecord.Upload, of key: String) async throws(ExportError) -> Bool {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for (place, etag) in upload.etags.enumerated() {
            text += "<Part><PartNumber>\(place + 1)</PartNumber><ETag>\(Self.escaped(etag))</ETag></Part>"
        }
        text += "</CompleteMultipartUpload>"
        var request = S3Request("POST", key)
        request.query = [("uploadId", upload.id)]
        request.headers = [HTTPHeader("if-none-match", "*")]
        request.body = Array(text.utf8)
        request.expected = [200, 404, 412]
        return try await send(request).status == 200
    }

    /// An upload that is no more is fine.
    func abortUpload(_ id: String, of key: String) async throws(ExportError) {
        var request = S3Request("DELETE", key)
        request.query = [("uploadId", id)]
        request.expected = [200, 204, 404]
        _ = try await send(request)
    }

    /// True while the upload is neither completed nor aborted.
    func isUnderWay(_ id: String, of key: String) async throws(ExportError) -> Bool {
        var request = S3Request("GET", key)
        request.query = [("uploadId", id), ("max-parts", "1")]
        request.expected = [200, 404]
        return try await send(request).status == 200
    }

    /// The ids of the uploads of exactly this key that are under way.
    func uploads(of key: String) async throws(ExportError) -> [String] {
        var ids: [String] = []
        var marker: (key: String, id: String)?
        while true {
            var request = S3Request("GET", nil)
            request.query = [("uploads", ""), ("prefix", key)]
            if let marker { request.query += [("key-marker", marker.key), ("upload-id-marker", marker.id)] }
            request.answerBytesMax = Self.listBytesMax
            let root = try root(try await send(request), "ListMultipartUploadsResult", key)
            for upload in root.children("Upload") where upload.text("Key") == key {
                if let id = upload.text("UploadId") { ids.append(id) }
            }
            guard root.text("IsTruncated") == "true", let nextKey = root.text("NextKeyMarker"),
                let nextID = root.text("NextUploadIdMarker")
            else { return ids }
            marker = (nextKey, nextID)
        }
    }

    // MARK: - Answers

    private func root(_ answer: HTTPAnswer, _ element: String, _ key: String) throws(ExportError) -> XMLElement {
        guard let root = XMLElement(answer.body), root.name == element else {
            throw strange(key, "'\(String(decoding: answer.body.prefix(200), as: UTF8.self))' instead of \(element)")
        }
        return root
    }

    private func strange(_ key: String, _ what: String) -> ExportError {
        ExportError(.store, "\(name(key)): the store answered with \(what); is it an S3?")
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
