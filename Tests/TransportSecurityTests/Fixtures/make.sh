#!/bin/sh
# Makes the certificates of these tests anew, valid for a hundred years (but for expired.pem). The keys protect nothing.
set -eu
cd "$(dirname "$0")"
days=36500
ca() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
}
leaf() { # NAME CA SUBJECT SAN DAYS
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" -keyout "$1.key" -out "$1.csr" -addext "subjectAltName=$4"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -days "$5" -copy_extensions copy -out "$1.pem"
    rm "$1.csr"
}
expired() { # NAME CA SUBJECT SAN: valid in 2020
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" -keyout "$1.key" -out "$1.csr"
    : >index.txt
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=%s\n' "$4" >ca.cnf
    openssl ca -batch -config ca.cnf -cert "$2.pem" -keyfile "$2.key" -startdate 20200101000000Z -enddate 20210101000000Z \
        -in "$1.csr" -out "$1.pem" -notext
    rm -f "$1.csr" index.txt* ca.cnf ./[0-9A-F]*.pem
}
ca ca
ca other-ca
leaf server ca /CN=broker "DNS:localhost,IP:127.0.0.1" $days
leaf renewed ca /CN=broker-renewed "DNS:localhost,DNS:renewed.example,IP:127.0.0.1" $days
leaf byname ca /CN=byname "DNS:localhost" $days
leaf elsewhere ca /CN=elsewhere "DNS:elsewhere.example" $days
expired expired ca /CN=expired "DNS:localhost,IP:127.0.0.1"
leaf client ca "/O=Example/CN=web-1" "DNS:web-1" $days
leaf stranger other-ca /CN=stranger "DNS:stranger" $days
rm ca.key other-ca.key ./*.srl 2>/dev/null || true
