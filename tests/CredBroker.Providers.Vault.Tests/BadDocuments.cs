using System.Text.Json;

namespace CredBroker.Providers.Vault.Tests;

internal static class BadDocuments
{
    private const string Auth = "\"auth\":{\"jwt\":{\"role\":\"broker\"}}";
    private const string Roles = "\"tokenRoles\":[\"broker\"]";

    public static IReadOnlyList<JsonElement> Configurations { get; } =
    [
        .. new[]
        {
            "{}",
            $$"""{"address":"https://vault.example",{{Roles}}}""",
            $$"""{"address":"https://vault.example",{{Auth}}}""",
            $$"""{"address":"http://vault.example:8200",{{Auth}},{{Roles}}}""",
            $$"""{"address":"vault.example:8200",{{Auth}},{{Roles}}}""",
            $$"""{"address":"ftp://vault.example",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://vault.example/v1",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://vault.example/?x=1",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://vault.example#x",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://user:pw@vault.example",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://vault.example@evil.example",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://vault.example/../x",{{Auth}},{{Roles}},"timeout":10}""",
            $$"""{"address":"https://vault.example","namespace":"../root",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://vault.example","namespace":"/team-a",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://vault.example","namespace":"a\r\nX-Vault-Token: x",{{Auth}},{{Roles}}}""",
            $$"""{"address":"https://vault.example","auth":{},{{Roles}}}""",
            $$"""{"address":"https://vault.example","auth":{"jwt":{"role":"a"},"kubernetes":{"role":"a","token":{"source":"t"} } },{{Roles}}}""",
            $$"""{"address":"https://vault.example","auth":{"jwt":{"role":"a/b"} },{{Roles}}}""",
            $$"""{"address":"https://vault.example","auth":{"jwt":{"role":"a","mount":"jwt/../approle"} },{{Roles}}}""",
            $$"""{"address":"https://vault.example","auth":{"appRole":{"roleId":"r","secretId":"plain text"} },{{Roles}}}""",
            $$"""{"address":"https://vault.example","auth":{"appRole":{"roleId":"r","secretId":{"source":""} } },{{Roles}}}""",
            $$"""{"address":"https://vault.example","auth":{"kubernetes":{"role":"r","token":"/var/run/secrets/token"} },{{Roles}}}""",
            $$"""{"address":"https://vault.example","auth":{"token":"s.secret"},{{Roles}}}""",
            $$"""{"address":"https://vault.example",{{Auth}},"tokenRoles":[]}""",
            $$"""{"address":"https://vault.example",{{Auth}},"tokenRoles":["a","a"]}""",
            $$"""{"address":"https://vault.example",{{Auth}},"tokenRoles":["a/b"]}""",
            $$"""{"address":"https://vault.example",{{Auth}},"tokenRoles":[".."]}""",
            $$"""{"address":"https://vault.example",{{Auth}},{{Roles}},"rootCertificate":"-----BEGIN CERTIFICATE-----"}""",
            $$"""{"address":"https://vault.example",{{Auth}},{{Roles}},"rootCertificate":{"source":"/etc/ssl/ca.pem"} }""",
            $$"""{"address":"https://vault.example",{{Auth}},{{Roles}},"timeout":"0s"}""",
            $$"""{"address":"https://vault.example",{{Auth}},{{Roles}},"timeout":"5m"}""",
            $$"""{"address":"https://vault.example",{{Auth}},{{Roles}},"adress":"x"}""",
        }.Select(json => JsonElement.Parse(json)),
    ];

    public static IReadOnlyList<(string Kind, JsonElement Template)> Templates { get; } =
    [
        .. new[]
        {
            ("scoped-token", "{}"),
            ("scoped-token", """{"policies":[]}"""),
            ("scoped-token", """{"policies":["root"]}"""),
            ("scoped-token", """{"policies":["default"]}"""),
            ("scoped-token", """{"policies":["app","app"]}"""),
            ("scoped-token", """{"policies":["App"]}"""),
            ("scoped-token", """{"policies":["app/x"]}"""),
            ("scoped-token", """{"policies":["app-{{which}}"]}"""),
            ("scoped-token", """{"policies":["app"],"tokenRole":"../roles/x"}"""),
            ("scoped-token", """{"policies":["app"],"wrapFor":"1s"}"""),
            ("scoped-token", """{"policies":["app"],"wrapFor":"2h"}"""),
            ("scoped-token", """{"policies":["app"],"ttl":"2h"}"""),
            ("dynamic-secret", """{"policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database/creds/app"}"""),
            ("dynamic-secret", """{"path":"/database/creds/app","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database/creds/app/","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database//creds","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database/creds/../config","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database/creds/%2e%2e/config","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database/creds/app?version=1","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database/creds/app#x","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database/creds/app-{{role}}","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"sys/leases/revoke-force/x","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"auth/token/create","policies":["app"],"method":"write"}"""),
            ("dynamic-secret", """{"path":"Sys/x","policies":["app"]}"""),
            ("dynamic-secret", """{"path":"database/creds/app","policies":["app"],"method":"delete"}"""),
            ("dynamic-secret", """{"path":"database/creds/app","policies":["app"],"parameters":{"a":"b"}}"""),
            ("dynamic-secret", """{"path":"pki/issue/app","policies":["app"],"method":"write","parameters":{"a b":"c"}}"""),
            ("dynamic-secret", """{"path":"pki/issue/app","policies":["app"],"method":"write","parameters":{"ttl":"9h"},"lifeParameter":"ttl"}"""),
            ("dynamic-secret", """{"path":"pki/issue/app","policies":["app"],"method":"write","leased":false}"""),
            ("dynamic-secret", """{"path":"database/creds/app","policies":["app"],"fields":[]}"""),
            ("dynamic-secret", """{"path":"database/creds/app","policies":["app"],"fields":["a","a"]}"""),
            ("kv-read", """{"policies":["app"]}"""),
            ("kv-read", """{"path":"app/../other","policies":["app"]}"""),
            ("kv-read", """{"path":"app/api","mount":"kv/{{x}}","policies":["app"]}"""),
            ("kv-read", """{"path":"app/api","version":0,"policies":["app"]}"""),
            ("kv-read", """{"path":"app/api","version":"1","policies":["app"]}"""),
        }.Select(bad => (bad.Item1, JsonElement.Parse(bad.Item2))),
    ];
}
