// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Certificates made for a test. */
final class TestCertificates {
  private TestCertificates() {}

  static X509Bundle authority(String subject) throws Exception {
    return new CertificateBuilder()
        .subject(subject)
        .setIsCertificateAuthority(true)
        .buildSelfSigned();
  }

  static X509Bundle certificate(X509Bundle issuer, String uri) throws Exception {
    return named(uri).buildIssuedBy(issuer);
  }

  static X509Bundle selfSigned(String uri) throws Exception {
    return named(uri).setIsCertificateAuthority(true).buildSelfSigned();
  }

  static CertificateBuilder named(String uri) throws Exception {
    return new CertificateBuilder().subject("CN=node").addSanUriName(uri);
  }

  /** Writes what a node with {@code bundle} needs, which trusts {@code authority}. */
  static TlsFiles files(Path directory, String name, X509Bundle bundle, X509Bundle authority)
      throws IOException {
    Path key = directory.resolve(name + ".key");
    Files.deleteIfExists(key);
    Files.createFile(
        key, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(key, bundle.getPrivateKeyPEM());
    Path certificate = directory.resolve(name + ".crt");
    Files.writeString(certificate, bundle.getCertificatePEM());
    Path trust = directory.resolve(name + ".ca");
    Files.writeString(trust, authority.getCertificatePEM());
    return new TlsFiles(certificate, key, trust);
  }
}
