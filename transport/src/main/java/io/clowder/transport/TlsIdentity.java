// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.netty.handler.ssl.SslHandler;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.TrustManagerFactory;

/**
 * This node's key and the authorities it trusts. A node is known by the URI {@code
 * clowder:CLUSTER/NODE} among the subject alternative names of its certificate, compared letter by
 * letter: a certificate of the same authority without it, a client's for instance, is no node, and
 * one of another cluster is no node of this. There is nothing to fall back to.
 */
final class TlsIdentity {
  private static final int SAN_URI = 6;
  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

  private final String cluster;
  private final SSLContext context;

  private TlsIdentity(String cluster, SSLContext context) {
    this.cluster = cluster;
    this.context = context;
  }

  /**
   * Reads and checks the files.
   *
   * @throws IllegalArgumentException with the key of the setting, the file and what is wrong
   */
  static TlsIdentity load(Node node, TlsFiles files) {
    List<X509Certificate> chain = certificates("tls.certificate", files.certificate());
    List<X509Certificate> trusted = certificates("tls.trust", files.trust());
    X509Certificate own = chain.get(0);
    String name = name(node.cluster(), node.id());
    if (!names(own, name)) {
      throw new IllegalArgumentException(
          "tls.certificate "
              + files.certificate()
              + ": not this node's; its subject alternative names lack URI:"
              + name);
    }
    PrivateKey key = privateKey(files.key(), own);
    try {
      return new TlsIdentity(node.cluster(), context(key, chain, trusted));
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalArgumentException("tls.certificate, tls.key, tls.trust: " + e, e);
    }
  }

  /** The name by which a certificate makes a node. */
  static String name(String cluster, NodeId node) {
    try {
      return new URI("clowder", cluster + "/" + node, null).toASCIIString();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("cluster '" + cluster + "' makes no URI", e);
    }
  }

  /** A handler for a connection that this node opens, or that it accepts. */
  SslHandler handler(boolean opens, int handshakeMillisMax) {
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(opens);
    if (!opens) {
      engine.setNeedClientAuth(true);
    }
    engine.setEnabledProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
    SslHandler handler = new SslHandler(engine);
    handler.setHandshakeTimeoutMillis(handshakeMillisMax);
    // A peer that reads no more shall not hold up the next attempt.
    handler.setCloseNotifyFlushTimeoutMillis(200);
    return handler;
  }

  /** Whether the other side of {@code handler}, whose handshake is done, is {@code node}. */
  boolean isNode(SslHandler handler, NodeId node) {
    try {
      Certificate[] chain = handler.engine().getSession().getPeerCertificates();
      return chain[0] instanceof X509Certificate first && names(first, name(cluster, node));
    } catch (SSLPeerUnverifiedException e) {
      return false;
    }
  }

  private static boolean names(X509Certificate certificate, String name) {
    try {
      var alternatives = certificate.getSubjectAlternativeNames();
      return alternatives != null
          && alternatives.stream()
              .anyMatch(it -> Integer.valueOf(SAN_URI).equals(it.get(0)) && name.equals(it.get(1)));
    } catch (CertificateParsingException e) {
      return false;
    }
  }

  private static SSLContext context(
      PrivateKey key, List<X509Certificate> chain, List<X509Certificate> trusted)
      throws GeneralSecurityException, IOException {
    // The password guards nothing: the store is never written.
    char[] password = "memory".toCharArray();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setKeyEntry("node", key, password, chain.toArray(new Certificate[0]));
    KeyStore authorities = KeyStore.getInstance("PKCS12");
    authorities.load(null, null);
    for (int i = 0; i < trusted.size(); i++) {
      authorities.setCertificateEntry("authority-" + i, trusted.get(i));
    }
    KeyManagerFactory keyManagers = KeyManagerFactory.getInstance("PKIX");
    keyManagers.init(keys, password);
    TrustManagerFactory trustManagers = TrustManagerFactory.getInstance("PKIX");
    trustManagers.init(authorities);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
    return context;
  }

  private static List<X509Certificate> certificates(String setting, Path file) {
    byte[] pem = bytes(setting, file);
    try {
      List<X509Certificate> found =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(pem))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (!found.isEmpty()) {
        return found;
      }
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException(setting + " " + file + ": no PEM certificates in it", e);
    }
    throw new IllegalArgumentException(setting + " " + file + ": no PEM certificates in it");
  }

  private static PrivateKey privateKey(Path file, X509Certificate certificate) {
    refuseIfOthersMayRead(file);
    Matcher pem = KEY.matcher(new String(bytes("tls.key", file), StandardCharsets.US_ASCII));
    if (!pem.find()) {
      throw new IllegalArgumentException(
          "tls.key " + file + ": not an unencrypted PKCS #8 key (BEGIN PRIVATE KEY)");
    }
    String algorithm = certificate.getPublicKey().getAlgorithm();
    try {
      byte[] encoded = Base64.getMimeDecoder().decode(pem.group(1));
      PrivateKey key =
          KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
      if (belongTogether(key, certificate, algorithm)) {
        return key;
      }
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      // The cause may quote the key.
      throw new IllegalArgumentException("tls.key " + file + ": not a key for " + algorithm);
    }
    throw new IllegalArgumentException(
        "tls.key " + file + ": does not belong to the certificate of tls.certificate");
  }

  private static boolean belongTogether(PrivateKey key, X509Certificate certificate, String kind)
      throws GeneralSecurityException {
    String scheme =
        switch (kind) {
          case "EC" -> "SHA256withECDSA";
          case "RSA" -> "SHA256withRSA";
          default -> kind;
        };
    byte[] sample = "clowder".getBytes(StandardCharsets.US_ASCII);
    Signature signer = Signature.getInstance(scheme);
    signer.initSign(key);
    signer.update(sample);
    byte[] signed = signer.sign();
    signer.initVerify(certificate.getPublicKey());
    signer.update(sample);
    return signer.verify(signed);
  }

  private static void refuseIfOthersMayRead(Path file) {
    PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    if (view == null) {
      return;
    }
    try {
      Set<PosixFilePermission> permissions = view.readAttributes().permissions();
      if (permissions.contains(PosixFilePermission.GROUP_READ)
          || permissions.contains(PosixFilePermission.OTHERS_READ)) {
        throw new IllegalArgumentException(
            "tls.key " + file + ": others may read it; chmod 600 and consider it known");
      }
    } catch (IOException e) {
      throw unreadable("tls.key", file, e);
    }
  }

  private static byte[] bytes(String setting, Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw unreadable(setting, file, e);
    }
  }

  private static IllegalArgumentException unreadable(String setting, Path file, IOException e) {
    String why = e instanceof NoSuchFileException ? "no such file" : e.getMessage();
    if (e instanceof FileSystemException failed && failed.getReason() != null) {
      why = failed.getReason();
    }
    return new IllegalArgumentException(setting + " " + file + ": " + why, e);
  }
}
