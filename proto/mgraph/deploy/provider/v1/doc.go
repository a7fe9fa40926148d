// Package providerv1 is the wire form of the protocol between host and provider, generated from provider.proto (make
// generate). It holds no behaviour: providers are written against sdk/provider, and only the SDK converts from and to it.
package providerv1
