extension AgentSettings {
    /// Documents that between them show every key of `agent.yaml` and every way to write it. `config schema` is learned from how they are read; a key that
    /// the decoder asks for and none shows fails a test. Names that a user would choose begin with `example`.
    public static let specimens = [
        """
        broker: [a.example:9092, b.example:9092]
        tls: {ca: /etc/millrace/tls/ca.pem, cert: /etc/millrace/tls/web-1.pem, key: /etc/millrace/tls/web-1.key, server_name: agg, verify_hostname: true}
        sasl: {mechanism: SCRAM-SHA-512, user: web-1, password: secret, allow_plaintext: false}
        state: /var/lib/millrace/agent
        host: web-1
        batch: {codec: gzip, level: 6, bytes: 256KiB, linger: 50ms, open_bytes: 4MiB}
        intents: {size: 64MiB, durability: fsync, dead_letters: 64MiB}
        delivery: exactly_once
        ambiguous: repeat
        status: {topic: __millrace_status, interval: 10s}
        stop_timeout: 10s
        files: {linger: 30s, poll: 1s, reconcile: 60s, idle_close: 5m, descriptors: 128}
        sources:
          - nginx: {folder: /var/log/nginx, relief: {drop: [debug], sample: 0.5, rate: 1000, redact: [{pattern: token, with: '***'}]}}
          - file:
              path: /srv/app/*.log
              exclude: /srv/app/debug.log
              topic: app
              format: json
              labels: {example: shop}
              start: end
              ignore_older: 7d
              poll: true
              line_max: 100KiB
              long_lines: skip
              relief: {drop: [debug], sample: 0.5, rate: 1000, redact: [{pattern: token, with: '***'}]}
              multiline: {start: '^[0-9]', timeout: 1s}
          - file: {path: [/a/*.log], topic: app, multiline: {continuation: '^ '}}
          - file: {path: [/b/*.log], topic: app, multiline: {preset: java}}
          - journal:
              directory: /srv/journal
              namespace: web
              name: copy
              units: [nginx.service]
              identifiers: sshd
              priority: warning
              this_boot_only: false
              own_messages: false
              topic: journal
              labels: {example: shop}
              entry_max: 100KiB
              relief: {drop: [debug], sample: 0.5, rate: 1000, redact: [{pattern: token, with: '***'}]}
          - syslog:
              udp: 127.0.0.1:5514
              tcp: [127.0.0.1:5514]
              unix: /run/millrace-agent/syslog.sock
              name: example
              topic: syslog
              value: json
              format: syslog
              labels: {example: shop}
              message_max: 64KiB
              connections: 128
              senders: 64
              allow_plaintext: false
              relief: {drop: [debug], sample: 0.5, rate: 1000, redact: [{pattern: token, with: '***'}]}
              spool: {size: 256MiB, sync: 1s}
          - stdin:
              topic: logs
              name: stdin
              format: json
              labels: {example: shop}
              line_max: 1000KiB
              relief: {drop: [debug], sample: 0.5, rate: 1000, redact: [{pattern: token, with: '***'}]}
              spool: {size: 256MiB, sync: 1s}
        """
    ]
}
