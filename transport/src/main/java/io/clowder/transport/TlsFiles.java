// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import java.nio.file.Path;

/**
 * Where a node's identity is kept, all in PEM.
 *
 * @param certificate the node's certificate, followed by the intermediate ones
 * @param key its private key, PKCS #8, not encrypted, readable by nobody else
 * @param trust the authorities whose nodes are let in
 */
public record TlsFiles(Path certificate, Path key, Path trust) {}
