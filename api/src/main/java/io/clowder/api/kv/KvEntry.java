// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.kv;

/**
 * A key with its value.
 *
 * @param version the version of the change that set it
 */
public record KvEntry(String key, byte[] value, long version) {}
