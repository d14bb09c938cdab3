// SPDX-License-Identifier: Apache-2.0
/**
 * Messages between nodes over TCP, one event loop thread for all of them.
 *
 * <p>Every node opens one connection to every other member, and to every node that it was told to
 * meet, and sends on it alone; what it receives comes in on the connections that the others opened.
 * So there is no tie to break, and the order of each sender is the order of its one connection. For
 * small messages that must not wait behind others it opens a second connection, once there is one
 * ({@link io.clowder.transport.Lane}); the two live and die each for itself.
 *
 * <pre>
 *   send() ────────► Outbox ──► PeerLink ═════ TCP or TLS ═════► Acceptor ──► Receivers ──► Receiver
 *   sendUrgent() ──► Outbox ──► PeerLink ═════ TCP or TLS ═════►  (checks      (topic)
 *                (any thread)   (dials, again and again)           the hello)
 * </pre>
 *
 * <p>A frame is {@code length:4 crc32c:4 body}, where length and checksum are the body's; its first
 * byte is the type ({@link io.clowder.transport.Frame}). The one who dials says HELLO; the other
 * answers WELCOME, or REFUSED with a sentence, which {@code links()} shows on the dialling side.
 * Until then a frame is at most 16 KiB, and no answer is larger than the hello, which is padded.
 *
 * <p>With TLS both sides show a certificate that names the node in a URI of its subject alternative
 * names, {@code clowder:CLUSTER/NODE}; host names and common names mean nothing. Without TLS only
 * loopback addresses are served and dialled.
 */
@NullMarked
package io.clowder.transport;

import org.jspecify.annotations.NullMarked;
