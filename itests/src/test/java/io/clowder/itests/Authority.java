// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** A cluster's own authority for certificates, made by openssl as README says. */
final class Authority {
  private static final String TRANSPORT = "io.clowder.transport.tls.";

  private final Path dir;
  private final String cluster;

  private Authority(Path dir, String cluster) {
    this.dir = dir;
    this.cluster = cluster;
  }

  /** A new one, whose files are in this folder. */
  static Authority make(Path dir, String cluster) throws IOException, InterruptedException {
    Authority authority = new Authority(dir, cluster);
    authority.request(cluster + " authority", "ca", "-x509", "-out", authority.file("ca.pem"));
    return authority;
  }

  /** Issues a node's certificate; the settings that a node has it by. */
  String certify(String node) throws IOException, InterruptedException {
    request(node, node, "-out", file(node + ".csr"));
    Path names = dir.resolve(node + ".ext");
    Files.writeString(names, "subjectAltName=URI:clowder:" + cluster + "/" + node);
    Tool.run(
        "openssl",
        "x509",
        "-req",
        "-in",
        file(node + ".csr"),
        "-CA",
        file("ca.pem"),
        "-CAkey",
        file("ca.key"),
        "-CAcreateserial",
        "-out",
        file(node + ".pem"),
        "-extfile",
        names.toString());
    Files.setPosixFilePermissions(
        dir.resolve(node + ".key"), PosixFilePermissions.fromString("rw-------"));
    return String.join(
        "\n",
        "cluster=" + cluster,
        TRANSPORT + "certificate=" + file(node + ".pem"),
        TRANSPORT + "key=" + file(node + ".key"),
        TRANSPORT + "trust=" + file("ca.pem"),
        "");
  }

  /** Makes a key, and what asks for its certificate, or the certificate itself. */
  private void request(String subject, String name, String... words)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("openssl", "req", "-nodes", "-newkey", "ec"));
    command.addAll(List.of("-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=" + subject));
    command.addAll(List.of("-keyout", file(name + ".key")));
    command.addAll(List.of(words));
    Tool.run(command.toArray(String[]::new));
  }

  private String file(String name) {
    return dir.resolve(name).toString();
  }
}
