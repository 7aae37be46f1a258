#!/usr/bin/env python3
"""Writes labelled findings in plain words, as JSON Lines for `vulnlens data build --styles`.

    python3 tools/plain_findings.py --out plain-findings.jsonl.gz

Records of CVEs are written to a pattern; testers, developers and users write as below. Without such texts, a model that has
learnt from `tools/negatives.py` that plain words mean no vulnerability says so of them, too. Each line has `id`, `source`
(plain), `description` and `cwes`. The sentences are written for this file; the labels are the mapping that MITRE's
catalogue suggests. The same version gives the same file.
"""

import argparse
import gzip
import hashlib
import json
import re
import sys

# How many texts are made of each sentence, by filling its slots.
FILLINGS = 4

# What stands between braces is a slot; each text draws a value for it.
SLOTS = {
    "app": "portal|shop|wiki|web shop|intranet|ticket system|booking site|forum|dashboard|mobile app|"
    "back office|web interface",
    "page": "profile page|invoice page|settings form|upload form|report screen|address book|search page|order form|"
    "admin panel|contact form",
    "endpoint": "endpoint|REST call|API method|route|handler|GraphQL query|web service",
    "user": "customer|user|member|visitor|employee|student|guest|tenant|patient|reader",
    "secret": "invoices|medical records|addresses|salary slips|chat messages|documents|orders|bank details|exam results",
    "device": "camera|router|door lock|thermostat|pump controller|printer|television|baby monitor|charger|gateway",
    "service": "database|message broker|monitoring agent|build server|search engine|backup service|scheduler|key store",
    "parser": "image decoder|font parser|archive reader|packet parser|audio codec|PDF renderer|certificate parser|log viewer",
    "file": "file|picture|document|archive|spreadsheet|theme|backup|attachment",
    "param": "name|id|file|page|lang|sort|q|path|next|template",
    "model": "chat bot|language model|assistant|support bot|coding agent|summariser|translation model",
}

# CWE ids, then sentences that describe such a finding.
FINDINGS = """\
639 | Change the number in the address of the {page} and you see the {secret} of another {user}.
639 | The {endpoint} takes the id of the {user} from the request and returns the {secret} without asking whose they are.
639 | By counting the id up, a {user} can download the {secret} of all others.
862 | The {endpoint} that deletes {secret} does not check whether the caller may do so.
862 | Every signed-in {user} can open the {page} of the administrators, because nobody checks the role.
862 | Any {user} can call the export of the {app} and get the {secret} of everybody.
862 | The menu hides the button, but the {endpoint} behind it works for every {user}.
863 | The check compares the wrong field, so that a {user} of one branch may edit the {secret} of another branch.
863 | A {user} who may only read can save changes when the request is sent by hand.
285 | Approval of {secret} should need a manager, yet each {user} can confirm their own by calling the {endpoint}.
841 | The last step of the checkout can be called without the payment step before it.
841 | Steps of the form can be skipped: the {app} confirms an order that was never paid.
306 | The {service} can be reached from the network and asks for no login at all.
306 | The {device} accepts commands on an open port without any password.
306 | Anyone who can reach the port may read and write the {service}; there is no authentication.
287 | Signing in works with any password if the {param} field is left empty.
287 | The {app} believes the header that names the {user}, so one can sign in as anybody.
307 | The login of the {app} may be tried as often as one likes; there is no lock and no delay.
307 | A PIN of four digits can be guessed, since the {device} never limits the tries.
307 | Codes sent by text message are not limited in attempts, so a program tries them all within minutes.
521 | The {app} accepts passwords of one letter.
640 | The link to reset a password is built from the date and can be guessed.
640 | The answer to a reset request contains the code that should only be in the mail.
384 | The session number stays the same after signing in, so one can set it for a victim beforehand.
613 | After signing out, the old cookie still works for weeks.
613 | When the rights of a {user} are taken away, open sessions keep them until they end.
620 | The password can be changed without giving the old one.
798 | All units of the {device} share one password that stands in the firmware.
798 | The key that signs the tokens of the {app} is written in the source code.
1392 | The {device} is delivered with admin and admin as name and password and does not ask to change them.
1188 | Out of the box the {service} is open to the whole network; the operator has to switch on protection.
1188 | The setting that is active after setup lets everyone read the {secret}.
1188 | By default, debugging is on after installation and can be used from outside.
276 | After setup, every local {user} may write to the folder of the {service}.
732 | The key file of the {service} is readable for all accounts of the machine.
319 | The {device} sends the password over the network without encryption.
319 | The {app} talks to its server by plain HTTP, so that others in the same network can read along.
312 | Passwords are kept as plain text in the {service}.
312 | The mobile app writes the {secret} unencrypted to the memory card.
256 | Anyone who opens the configuration file reads the password of the {service}.
522 | The page with the settings of the {device} contains the stored password in its source.
532 | The {app} writes passwords and tokens to its log.
209 | An error message of the {app} shows the query and the password of the database.
200 | The {endpoint} returns more fields than the page shows, among them the {secret} of every {user}.
201 | The answer to the search contains hidden fields with the {secret} of others.
359 | Phone numbers of each {user} can be collected from the public {page}.
497 | The status page of the {service} tells everyone versions, paths and environment variables.
538 | A copy of the database lies in a public folder of the {app}.
548 | The web server lists the folder with the uploaded {secret}.
203 | The answer takes longer when the {user} exists, so that names can be found out.
204 | The sign-in form says whether the name or the password was wrong.
89 | A quote in the {param} field breaks the database query, and with a little more one reads the whole table.
89 | The search term is glued into the SQL statement.
89 | With ' OR 1=1 in the {param} parameter the {app} shows all {secret}.
943 | The filter is handed to the document database as it is, so that an operator in the JSON body changes the query.
943 | Sending an object instead of a string in the {param} field lets one log in, since MongoDB reads it as a condition.
943 | The NoSQL query is built from what the {user} typed; with $gt or $regex one gets every document.
90 | An asterisk in the user name makes the directory search find everyone: the LDAP filter is not escaped.
91 | The name is copied into an XML file without escaping, so that one can add elements.
643 | The XPath expression is put together from the {param} parameter.
77 | What is typed into the {page} becomes a part of a command of the {device}.
78 | A semicolon in the host field of the {device} runs a second command as root.
78 | The {app} starts a shell with the name of the uploaded {file}, so that `$(…)` in it is carried out.
88 | A branch name that starts with a dash is taken for an option of the program that the {app} calls.
88 | The {file} name goes to tar without --, so a name like --checkpoint-action runs a command.
88 | Options can be smuggled into the call of the mail program through the {param} field: arguments are not separated.
94 | The formula of a {user} is run as code on the server.
94 | The {app} lets one write a template that the server executes as PHP.
95 | The {param} parameter goes straight into eval.
95 | The calculator of the {model} hands the expression to Python's eval function.
95 | A filter expression is evaluated with exec, so that any Python can be run.
1336 | Writing {{{{7*7}}}} into the {page} shows 49: the template engine of the server evaluates it.
470 | The name of the class to load comes from the request.
502 | The {app} unpickles the cookie that the {user} sends.
502 | Opening a saved {file} rebuilds arbitrary Java objects, which starts programs.
502 | Weights from a model hub are loaded with pickle, so that a manipulated file executes code.
79 | A comment with a script tag runs in the browser of everyone who opens the page.
79 | The {param} parameter is shown on the {page} as it is, so a link can carry JavaScript.
79 | The file name of an upload is printed as HTML in the list of the administrators.
80 | The {page} shows a name with tags in it as tags.
79 | What the {user} enters is printed without escaping, so that a script can be stored in it.
352 | A foreign page can change the mail address of a signed-in {user}, since the form has no token.
352 | Opening a picture in a mail is enough to delete the account: the {endpoint} accepts requests from other sites.
1021 | The {page} can be shown in an invisible frame so that a {user} clicks on something else than they think.
601 | The {param} parameter of the login page sends the {user} to any other site.
918 | The preview of the {app} fetches any address, also those of the internal network.
918 | Give the webhook the address of the cloud metadata service and the {app} hands over its keys.
611 | The import of the {app} follows entities in XML and shows files of the server.
776 | A few lines of nested entities in the XML make the {app} run out of memory.
22 | With ../ in the {param} parameter any file of the server can be read.
22 | The archive may contain names with dots and slashes, so that unpacking writes outside the folder.
23 | The {endpoint} opens the path that is asked for, also ../../etc/passwd.
73 | The {user} may choose where on the server the report is saved.
59 | The {service} follows a symbolic link in the shared folder and overwrites a system file.
434 | Instead of a picture one can upload a script and open it.
434 | The form takes any kind of file, and the web server runs .php files in the upload folder.
552 | The private uploads of the {app} can be fetched by everyone who knows the link.
98 | The {param} parameter names the PHP file that gets included.
829 | The page loads a script from a domain that has expired and that anybody may register.
494 | The {device} installs updates without checking their signature.
347 | The {app} accepts tokens whose signature is missing.
347 | The {device} checks that the update has a signature, not whether it is right.
295 | The app does not check the certificate of the server, so that one can sit in between.
297 | The certificate may be for any host name; the app takes it.
345 | The {device} accepts messages from the network without checking who sent them.
346 | The window takes messages from every other window and carries them out.
346 | The websocket does not look at the origin, so that a foreign page can use the session.
942 | The {app} allows every origin to read its answers, cookies included.
942 | CORS is set to reflect the origin of the caller and to allow credentials, so other sites can fetch the {secret}.
942 | A wildcard in the cross-domain policy lets any site read the {endpoint} in the name of the {user}.
1385 | Another site can open the websocket of the {app} with the cookies of the {user}.
113 | CR and LF in the {param} parameter end up in the response, so one can set a cookie or another header.
113 | With a line feed in the file name one can write own HTTP headers into the answer.
93 | A line break in the {param} field adds a second command to the protocol.
117 | A line break in the user name writes forged lines into the log.
444 | Proxy and server disagree on where a request ends, so that one can slip a second request in.
1236 | A cell that begins with an equals sign is exported as it is and runs as a formula in the spreadsheet program.
1236 | Names starting with + or @ are put into the CSV export and are calculated when it is opened in Excel.
915 | Extra fields in the request are saved to the account, so that one can give oneself more rights.
915 | By adding "role": "admin" to the form a {user} becomes administrator, because all fields are bound to the object.
915 | The {endpoint} copies all properties it gets into the stored object, also balance and owner.
1321 | A key called __proto__ in the JSON changes all objects of the program.
266 | New accounts get the rights of an administrator.
269 | A normal {user} can make the {service} start a program with the rights of the system.
250 | The {service} runs as root although it needs no such rights.
427 | The program loads a library from the folder in which the {file} lies.
428 | The path of the {service} has a blank and no quotes, so that another program is started.
426 | The {service} looks for its helper program in the current folder first.
362 | Two requests at the same time both pass the check, and the money is paid out twice.
362 | If the button is pressed twice quickly, the credit is used two times.
362 | Sent in parallel, the requests redeem one gift card again and again.
367 | The file is checked first and opened later; in between it can be replaced.
837 | A discount code can be used again and again in one order until the price is zero.
837 | The {app} lets a {user} return an item twice and pays both times.
799 | The limit for transfers counts each account alone, so it can be passed by opening many.
1284 | The amount may be below zero, and then the {app} pays money to the buyer.
1284 | Ordering minus one pieces lowers the bill.
1284 | The length in the header is not checked for sense before it is used.
20 | The {app} takes any value for the date and breaks on the wrong ones.
472 | The price stands in an invisible field of the form and is believed when it comes back.
472 | Whoever edits the hidden total in the page pays what they want.
565 | The cookie says whether the {user} is an administrator, and the {app} believes it.
602 | The rules are only checked in the browser; a request by hand gets around them.
602 | The {app} checks the discount in JavaScript alone, and the server takes what it is told.
807 | The {app} trusts the address in a header that the {user} can set.
290 | By writing the address of the gateway into a header one is taken for an internal system.
294 | A recorded signal of the {device} can be sent again and works.
330 | The numbers of the vouchers follow each other and can be guessed.
338 | The token is made with a simple random function seeded by the time.
326 | The key has 40 bits and can be tried out.
327 | The {app} encrypts the {secret} with DES.
328 | Passwords are stored as MD5.
916 | Passwords are hashed once with a fast function, so that they can be guessed quickly.
759 | The same password gives the same hash for each {user}, as there is no salt.
400 | One big request keeps the {service} busy for minutes.
770 | There is no limit on how many connections the {device} opens, and it stops working.
770 | The {endpoint} creates as many reports at a time as one asks for, until the memory is gone.
409 | A tiny {file} unpacks to hundreds of gigabytes and fills the disk.
409 | The scanner unpacks archives within archives without a limit on the size: a zip bomb stops it.
1333 | A long row of the same letter in the {param} field keeps the regular expression busy for hours.
674 | Brackets nested many thousand times make the {parser} call itself until the stack is full.
835 | A crafted {file} makes the {parser} go round in circles for ever.
617 | One packet makes the {service} stop with a failed assertion.
476 | If the {param} field is missing, the {service} crashes because it uses a pointer that is null.
787 | A crafted {file} makes the {parser} write behind the end of its buffer.
121 | A name longer than 64 bytes overwrites the stack of the {device}.
122 | The {parser} copies more bytes than it has allocated on the heap.
120 | The {parser} copies the string without looking at its length.
125 | The {parser} reads past the end of a short {file} and shows bytes of other data.
416 | The {parser} goes on using an object that it has already freed.
415 | On an error the {parser} frees the same memory twice.
190 | Width times height does not fit in 32 bits, so too little memory is allocated.
191 | Subtracting the header from a shorter length gives a huge number.
193 | The loop runs one step too far.
401 | Each failed login leaves some memory behind until the {device} restarts.
908 | The {parser} prints memory that was never set.
824 | The {parser} follows a pointer that was never set.
843 | The {parser} takes a number for an object.
134 | The name is used as a format string, so %s and %n in it read and write memory.
704 | A value is cast to a smaller type and loses its upper half.
369 | A width of zero makes the {parser} divide by zero.
682 | The total is rounded wrongly, so that a few cents can be gained with each order.
693 | The protection of the {device} can be switched off by unplugging it during the start.
1191 | The debug port on the board of the {device} is open and gives full access to the memory.
1300 | The key can be read from the power that the chip draws.
1247 | A short drop of the supply voltage makes the boot loader skip the check.
1423 | What one virtual machine leaves in the branch predictor lets its neighbour find out its keys.
1423 | Predictions of the processor are shared between guests, so that one steers what another runs ahead of time.
1421 | Data that the processor read ahead leave traces in the cache by which another process reads them.
1039 | Small stickers on a road sign make the recognition see something else.
1039 | By changing a few pixels an adversarial picture is put in the wrong class by the neural network.
1039 | A T-shirt with a printed pattern makes the person invisible to the classifier of the {device}.
1427 | Text in a web page tells the {model} to do something else, and it does.
1427 | A hidden sentence in a mail gives the {model} new instructions, so that it forwards {secret} (prompt injection).
1427 | By asking it to ignore its rules, one makes the {model} print its system prompt and call its tools.
1427 | Instructions in an issue or a code comment are followed by the {model}, which then starts programs.
1426 | What the {model} answers is put into the page as HTML without a check.
1426 | The {app} runs what the {model} writes without looking at it.
1426 | The SQL that the {model} produces is executed as it comes.
506 | The package contains code that sends the environment of whoever installs it to a server.
912 | The {device} has a hidden page that opens a root shell.
489 | Test code that answers every password with yes was left in the {app}.
451 | The browser can be made to show the address of another site.
1007 | A domain with a letter of another alphabet looks like the real one.
178 | The block list knows .php, but .PHP gets through.
184 | The list of forbidden endings lacks .phtml, and such a file is executed.
184 | Only some dangerous tags are filtered; svg gets through.
183 | Any host that ends with the name of ours is trusted, also evil ones.
185 | The pattern for allowed hosts has a dot that matches every letter.
749 | The web view of the app offers a function to pages of strangers that reads files.
926 | Other apps on the phone can start the internal screen of this app without permission.
927 | The app sends the token to every app that listens.
939 | A link can make the app open any address in its own web view.
924 | Messages between {device} and server can be changed on the way without anyone noticing.
354 | The {device} does not compare the checksum of what it loads.
353 | Packets of the {device} carry no checksum by which a change would be seen.
"""


def draw(text, ways):
    """A number below `ways` that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % ways


def filled(sentence, number):
    """The sentence with a value drawn for each slot."""

    def value(found):
        values = SLOTS[found[1]].split("|")
        return values[(draw(sentence + found[1], len(values)) + number) % len(values)]

    # The first of the doubled braces of a literal pair is not a slot.
    return re.sub(r"(?<!\{)\{(\w+)\}", value, sentence).replace("{{", "{").replace("}}", "}")


def findings():
    sentences = [line.split(" | ", 1) for line in FINDINGS.strip().split("\n")]
    seen = set()
    for place, (cwe, sentence) in enumerate(sentences):
        for number in range(FILLINGS):
            text = filled(sentence, number)
            if number % 2 and "{" in sentence:
                # Half of the fillings stand with another finding of the same weakness, as in a report.
                others = [other for label, other in sentences if label == cwe and other != sentence]
                if others:
                    text += " " + filled(others[draw(text, len(others))], number)
            if text not in seen:
                seen.add(text)
                yield {
                    "id": f"plain:{place}.{number}",
                    "source": "plain",
                    "description": text,
                    "cwes": [f"CWE-{cwe}"],
                }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True, help="the file to write; .gz compresses")
    options = parser.parse_args()
    lines = [json.dumps(finding, ensure_ascii=False) + "\n" for finding in findings()]
    data = "".join(lines).encode()
    with open(options.out, "wb") as file:
        file.write(gzip.compress(data, mtime=0) if options.out.endswith(".gz") else data)
    print(f"{len(lines)} findings", file=sys.stderr)


if __name__ == "__main__":
    main()
