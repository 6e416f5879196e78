using System.Security.Cryptography;
using System.Xml.Linq;
using CredBroker.EntityFrameworkCore.Protection;

namespace CredBroker.EntityFrameworkCore.Tests;

/// <summary>The wrapping of the key ring.</summary>
public sealed class WrappingKeysTests
{
    private static readonly byte[] Old = [.. Enumerable.Repeat((byte)1, 32)];
    private static readonly byte[] New = [.. Enumerable.Repeat((byte)2, 32)];
    private static readonly XElement Secret = XElement.Parse("<masterKey><value>c2VjcmV0LW1hdGVyaWFs</value></masterKey>");

    [Test]
    public void Unwraps_what_it_or_an_earlier_key_wrapped()
    {
        var wrapped = new WrappingKeys([Old]).Encrypt(Secret).EncryptedElement;
        Assert.That(wrapped.ToString(), Does.Not.Contain("c2VjcmV0"));
        Assert.That(XNode.DeepEquals(new WrappingKeys([New, Old]).Decrypt(wrapped), Secret), Is.True);
        Assert.That(() => new WrappingKeys([New]).Decrypt(wrapped), Throws.InstanceOf<CryptographicException>());
    }

    [Test]
    public void Refuses_what_was_changed()
    {
        var keys = new WrappingKeys([Old]);
        var wrapped = keys.Encrypt(Secret).EncryptedElement;
        var bytes = Convert.FromBase64String(wrapped.Value);
        for (var i = 0; i < bytes.Length; i += 7)
        {
            var changed = bytes.ToArray();
            changed[i] ^= 1;
            var element = new XElement(wrapped) { Value = Convert.ToBase64String(changed) };
            Assert.That(() => keys.Decrypt(element), Throws.InstanceOf<CryptographicException>());
        }
    }
}
